"""What changes for good and what is rising: levels of bands over hours and months.

Frames become blocks of some seconds (`LevelBlock`), blocks are compared with a `DriftBaseline` of normal
audio, and a `DriftMonitor` says of each departure that lasts whether the sound is steady in a new place
(`changed`) or goes on (`rising`), as a `Change`. What ends before is an event as any other (`transient`).
"""
