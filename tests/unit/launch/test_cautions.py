"""Builds warn of apps whose container would not start, or not at PORT, with what to change."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.launch import launch_report, processes
from tests.support.trees import Files, write_files

_FASTHTML = "from fasthtml.common import *\napp, rt = fast_app({})\n"
_LITELLM = "model_list: []\n"
_GRADIO = "import gradio as gr\ndemo = gr.Blocks()\ndemo.launch({})\n"


def titles(directory: Path, installed: str, files: Files) -> list[str]:
    app = read_app(write_files(directory, files))
    plan = processes.plan_launch(app, dict.fromkeys(installed.split(), "99.0"))
    warnings = launch_report.warnings(plan, processes.in_the_packages)
    return [message.title for message in warnings]


@pytest.mark.parametrize(
    ("installed", "files", "title"),
    [
        (
            "python-fasthtml uvicorn",
            {"main.py": _FASTHTML.format("")},
            "FastHTML cannot write its key",
        ),
        (
            "gradio uvicorn",
            {"app.py": _GRADIO.format("server_port=7860")},
            "app.py does not read the variable PORT",
        ),
        (
            "flask gunicorn",
            {"app.py": "from flask import Flask\nweb = Flask('x')\nweb.run()\n"},
            "app.py starts a server when it is imported",
        ),
        (
            "fastapi uvicorn",
            {
                "main.py": "import os, uvicorn\nfrom fastapi import FastAPI\napp = FastAPI()\n"
                "uvicorn.run('main:app', port=int(os.environ['PORT']))\n"
            },
            "main.py starts a server when it is imported",
        ),
        (
            "bottle",
            {
                "app.py": "import os, bottle\napp = bottle.Bottle()\nif __name__ == '__main__':\n"
                "    app.run(port=os.environ['PORT'])\n"
            },
            "web runs the development server of Bottle",
        ),
        (
            "dash flask gunicorn",
            {
                "app.py": "import dash\napp = dash.Dash('x')\n"
                "if __name__ == '__main__':\n    app.run(port=os.environ['PORT'])\n"
            },
            "web runs the development server of Dash",
        ),
        (
            "mesop flask",
            {"main.py": "import mesop as me\n"},
            "web runs the development server of Mesop",
        ),
    ],
)
def test_app_that_lacks_something_is_warned_of(
    tmp_path: Path, installed: str, files: Files, title: str
) -> None:
    assert titles(tmp_path, installed, files) == [title]


@pytest.mark.parametrize(
    ("installed", "files"),
    [
        (
            "python-fasthtml uvicorn",
            {"main.py": _FASTHTML.format("secret_key=os.environ['SECRET_KEY']")},
        ),
        ("python-fasthtml uvicorn", {"main.py": _FASTHTML.format(""), ".sesskey": "x"}),
        # The container may have the key as a variable.
        ("litellm uvicorn", {"config.yaml": _LITELLM}),
        ("gradio uvicorn", {"app.py": _GRADIO.format("share=False")}),
        ("mesop flask gunicorn", {"main.py": "import mesop as me\n"}),
    ],
)
def test_app_that_has_it_is_not_warned_of(tmp_path: Path, installed: str, files: Files) -> None:
    assert titles(tmp_path, installed, files) == []


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ("", 1),
        ("# master_key: x\n", 1),
        ("general_settings:\n  master_key: os.environ/KEY\n", 0),
    ],
)
def test_log_has_a_line_about_the_master_key_of_litellm(
    tmp_path: Path, settings: str, count: int
) -> None:
    app = read_app(write_files(tmp_path, {"config.yaml": f"{_LITELLM}{settings}"}))
    plan = processes.plan_launch(app, {"litellm": "1.0", "uvicorn": "1.0"})

    lines = [line for line in launch_report.reasons(plan) if "LITELLM_MASTER_KEY" in line]

    assert len(lines) == count


def test_log_has_a_line_about_the_processes_of_robyn(tmp_path: Path) -> None:
    """Their memory is not shared."""
    code = "from robyn import Robyn\napp = Robyn(__file__)\napp.start()\n"
    app = read_app(write_files(tmp_path, {"app.py": code}))
    plan = processes.plan_launch(app, {"robyn": "1.0"})

    (line,) = [line for line in launch_report.reasons(plan) if line.startswith("  Robyn runs")]

    assert "two processes" in line


def test_a_wsgi_server_names_the_asgi_app_that_no_package_serves(tmp_path: Path) -> None:
    """An image without WebSockets works as long as a page is opened that does not use them."""
    settings = "WSGI_APPLICATION = 'shop.wsgi.application'\n"
    app = write_files(
        tmp_path,
        {
            "manage.py": "import django, os\n"
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
            "shop/settings.py": f"{settings}ASGI_APPLICATION = 'shop.asgi.application'\n",
            "shop/wsgi.py": "",
            "shop/asgi.py": "",
        },
    )
    plan = processes.plan_launch(read_app(app), {"django": "6.0", "gunicorn": "23.0"})

    (line, *_) = plan.discovered[0].lines
    assert plan.discovered[0].command == "gunicorn shop.wsgi:application"
    assert "no installed package can serve shop.asgi:application" in line
    assert line.endswith("which needs uvicorn")


def test_tasks_that_no_module_loads_with_the_object_are_named(tmp_path: Path) -> None:
    tasks = "from config import huey\n@huey.task()\ndef add(): ...\n"
    files = {
        "config.py": "from huey import RedisHuey\nhuey = RedisHuey('shop')\n",
        "mail.py": tasks,
        "reports.py": tasks,
    }
    plan = processes.plan_launch(read_app(write_files(tmp_path / "app", files)), {"huey": "3"})
    (warning,) = launch_report.warnings(plan, lambda package: (package, package))

    assert warning.title == "The worker does not load the tasks in mail.py, reports.py"
    assert warning.body[-1] == "    import mail, reports"
