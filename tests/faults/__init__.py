"""Faults of the system: of disks, memory and permissions, at one call in turn, seeded and repeatable."""
