"""What a run tells those who operate it: what it has done so far, and its log as JSON.

`meter` counts frames, recordings and events where they are read; `json_log` makes an object of each line on
standard error. Both are below all other rooms, which use them.
"""
