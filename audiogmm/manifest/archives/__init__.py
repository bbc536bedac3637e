"""Lists with the recordings in them: archives of WebDataset, NeMo and Lhotse, tables of Hugging Face.

Entries have addresses of recordings inside of these files (`manifest.inside`); nothing is unpacked.
"""
