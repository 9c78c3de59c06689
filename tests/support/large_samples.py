"""Sample apps of frameworks whose packages are large, or fit beside no other: `make frameworks`.

Each is built and found alone. The packages of a sample are the lines of its requirements.txt.
"""

import json
from collections.abc import Mapping

from tests.support.found_commands import Sample

_NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": "1",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": ["print('Hel' + 'lo')"],
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
_NOTEBOOKS = {"page.ipynb": json.dumps(_NOTEBOOK)}
_MODELS = (
    "model_list:\n- model_name: m\n  litellm_params: {model: openai/m, api_key: x, "
    "api_base: 'http://127.0.0.1:9'}\n"
)
# The tests have no server for Kafka or Telegram's MTProto: Faust waits for a response, and the
# others cannot connect.
_FAUST = (
    "import socket\nimport faust\nserver = socket.create_server(('127.0.0.1', 0))\n"
    "app = faust.App('shop', broker=f'kafka://127.0.0.1:{server.getsockname()[1]}')\n"
    "@app.agent(app.topic('orders'))\nasync def work(orders):\n"
    "    async for order in orders: print(order)\n"
)
_TELETHON = (
    "import logging\nfrom telethon import TelegramClient, events\n"
    "from telethon.sessions import StringSession\nlogging.basicConfig(level=logging.INFO)\n"
    "session = StringSession()\nsession.set_dc(2, '127.0.0.1', 9)\n"
    "bot = TelegramClient(session, 1, 'x', connection_retries=None)\n"
    "@bot.on(events.NewMessage)\nasync def reply(event): await event.respond('Hello')\n"
    "bot.start(bot_token='1:x')\nbot.run_until_disconnected()\n"
)
_PYCORD = (
    "import os\nimport discord\n"
    "discord.http.Route.API_BASE_URL = 'http://127.0.0.1:9/api'\n"
    "bot = discord.Bot()\n"
    "@bot.slash_command()\nasync def hello(context): await context.respond('Hello')\n"
    "bot.run(os.environ['DISCORD_TOKEN'])\n"
)


def _jupyter(package: str, expected: str) -> Sample:
    """Return a sample with notebooks; its first page shows which of the programs was started."""
    env = {"JUPYTER_TOKEN": "x"}
    return Sample(package, _NOTEBOOKS, path="/?token=x", expected=expected, env=env)


WEB: Mapping[str, Sample] = {
    "chainlit": Sample(
        "chainlit>=2",
        {
            "app.py": "import chainlit as cl\n@cl.on_message\n"
            "async def reply(message): await cl.Message('Hello').send()\n",
            # It fails with Python 3.14.
            ".python-version": "3.13\n",
        },
        expected="Assistant",
    ),
    "gradio": Sample(
        "gradio",
        {
            "app.py": "import gradio as gr\nwith gr.Blocks(title='Hello') as demo:\n"
            "    gr.Markdown('Hello')\ndemo.launch()\n"
        },
    ),
    "jupyterlab": _jupyter("jupyterlab", "<title>JupyterLab</title>"),
    "notebook": _jupyter("notebook", "<title>Home</title>"),
    "voila": Sample("voila\nipykernel", _NOTEBOOKS),
    "bentoml": Sample(
        "bentoml",
        {
            "service.py": "import bentoml\n@bentoml.service\nclass Hello:\n"
            "    @bentoml.api\n    def hello(self, name: str) -> str: return name\n"
        },
        path="/docs.json",
        expected="/hello",
    ),
    "ray": Sample(
        "ray[serve]",
        {
            "app.py": "from ray import serve\n@serve.deployment\nclass Hello:\n"
            "    async def __call__(self, request): return 'Hello'\napp = Hello.bind()\n"
        },
    ),
    "mlflow": Sample(
        "mlflow",
        {},
        path="/health",
        expected="OK",
        env={
            "MLFLOW_BACKEND_STORE_URI": "sqlite:////dev/shm/mlflow.db",
            "MLFLOW_ARTIFACTS_DESTINATION": "/dev/shm/artifacts",
        },
    ),
    "litellm": Sample(
        "litellm[proxy]",
        {"config.yaml": _MODELS},
        path="/health/liveliness",
        expected="alive",
        env={"LITELLM_MASTER_KEY": "sk-1"},
    ),
    "reflex": Sample(
        "reflex",
        {
            "rxconfig.py": "import reflex as rx\nconfig = rx.Config(app_name='shop')\n",
            "shop/__init__.py": "",
            "shop/shop.py": "import reflex as rx\ndef index(): return rx.text('Hello')\n"
            "app = rx.App()\napp.add_page(index)\n",
        },
    ),
}
_KURIGRAM = (
    "import logging\nfrom pyrogram import Client\nlogging.basicConfig(level=logging.INFO)\n"
    "proxy = {'scheme': 'socks5', 'hostname': '127.0.0.1', 'port': 9}\n"
    "bot = Client('shop', api_id=1, api_hash='x', bot_token='1:x', in_memory=True, proxy=proxy)\n"
    "@bot.on_message()\nasync def reply(client, message): await message.reply('Hello')\n"
    "bot.run()\n"
)


def _worker(packages: str, file: str, code: str, expected: str) -> Sample:
    env = {"DISCORD_TOKEN": "MTA.x.y"}
    return Sample(packages, {file: code}, "worker", expected=expected, env=env)


WORKERS: Mapping[str, Sample] = {
    "faust": _worker("faust-streaming", "tasks.py", _FAUST, "Producer]: Starting"),
    "telethon": _worker("telethon", "bot.py", _TELETHON, "Connecting to 127.0.0.1:9"),
    "kurigram": _worker("kurigram", "bot.py", _KURIGRAM, "Unable to connect"),
    "pycord": _worker("py-cord", "bot.py", _PYCORD, "127.0.0.1:9"),
}
