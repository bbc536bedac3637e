"""Groups of sounds in files: events and recordings are grouped, and groups get names."""
