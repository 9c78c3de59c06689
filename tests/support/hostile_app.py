"""Files and variables of an app that must not affect the bundled Python."""

HOSTILE_FILES = dict.fromkeys(
    (
        *("json.py", "typing.py", "sitecustomize.py", "usercustomize.py", "encodings.py"),
        *("pathlib.py", "cnb_python/__init__.py", "tomli/__init__.py", "lib/python3.14/os.py"),
    ),
    "raise SystemExit('a file of the app was run')\n",
)
HOSTILE_VARIABLES = {
    "PYTHONPATH": "/workspace",
    "PYTHONHOME": "/workspace",
    "PYTHONSTARTUP": "/workspace/json.py",
    "PYTHONUSERBASE": "/workspace",
    "PYTHONPLATLIBDIR": "lib64",
    "PYTHONWARNINGS": "error",
    "PYTHONINSPECT": "1",
}
