"""The table of covariance forms: whatever depends on the form is a method of its row."""

from __future__ import annotations

from types import MappingProxyType

from audiogmm.errors import ChoiceError
from audiogmm.mixture.form import CovarianceForm
from audiogmm.mixture.matrix_forms import Full, Tied
from audiogmm.mixture.variance_forms import Diagonal, Spherical
from audiogmm.types import CovarianceType

FORMS: MappingProxyType[CovarianceType, CovarianceForm] = MappingProxyType(
    {form.name: form for form in (Spherical(), Diagonal(), Tied(), Full())}
)
"""Covariance type -> its form."""


def form_of(covariance_type: str) -> CovarianceForm:
    """Return the form of a covariance type.

    Raises
    ------
    ChoiceError
        If there is no such form.

    Examples
    --------
    >>> form_of("full").shape(4, 13), form_of("tied").n_parameters(4, 13)
    ((4, 13, 13), 91)
    """
    for name, form in FORMS.items():
        if name == covariance_type:
            return form
    raise ChoiceError(f"covariance type {covariance_type!r}", needed="one of " + ", ".join(FORMS))
