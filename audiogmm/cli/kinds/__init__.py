"""The commands about kinds of sound: `group` and `name`."""
