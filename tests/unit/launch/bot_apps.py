"""Small apps with a bot, in shapes that public projects have, and their processes.

A program that serves requests is `web`, and runs its bot. A bot that only polls is a worker.
"""

from tests.support.trees import Files
from tests.unit.launch.start_apps import HOST, PORT, UVICORN, Expected, StartApp

_MAIN = "if __name__ == '__main__':\n"
_FLASK = "from flask import Flask\napp = Flask(__name__)\n"
_FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
_DISCORD = "import discord\nbot = discord.Client()\n"
_PORT = "port=int(os.environ['PORT'])"
_ON_FLASK = "discord-py flask gunicorn"
_ON_FASTAPI = "discord-py fastapi starlette uvicorn"
_SERVED = "Server(Config(app, port=1)).serve()"
_TELEBOT = f"import os, telebot\n{_FLASK}bot = telebot.TeleBot('x')\n"
_HOOK = "@app.post('/hook')\ndef hook(): ...\n"


def _app(name: str, installed: str, files: Files, **expected: tuple[str, str]) -> StartApp:
    return StartApp(
        name, files, installed, {kind: Expected(*row) for kind, row in expected.items()}
    )


_SERVERS_WITH_BOT = (
    _app(
        "discord.py: a Flask app imports it and runs its own server",
        _ON_FLASK,
        {"app.py": f"import discord\n{_FLASK}{_MAIN}    app.run(port=1)\n"},
        web=("gunicorn app:app", "app.py:3"),
    ),
    _app(
        "discord.py: a Flask program starts the bot in a thread",
        _ON_FLASK,
        {
            "main.py": f"import os, threading\n{_DISCORD}{_FLASK}"
            f"{_MAIN}    threading.Thread(target=bot.run, args=('x',)).start()\n"
            f"    app.run({_PORT})\n"
        },
        web=("python main.py", "main.py:5"),
    ),
    _app(
        "discord.py: a Flask program starts the bot of another module in a thread",
        _ON_FLASK,
        {
            "run.py": f"from threading import Thread\nfrom bot import run_bot\n{_FLASK}"
            f"{_MAIN}    Thread(target=run_bot).start()\n    app.run(port=1)\n",
            "bot.py": f"{_DISCORD}def run_bot():\n    bot.run('x')\n",
        },
        web=("python run.py", "run.py:4"),
    ),
    _app(
        "discord.py: a program with a Flask factory starts the bot of a package in a thread",
        _ON_FLASK,
        {
            "run.py": "import threading\nfrom shop.bot import bot\nfrom shop import create_app\n"
            "app = create_app()\ndef run_bot():\n    bot.run('x')\n"
            f"{_MAIN}    threading.Thread(target=run_bot).start()\n    app.run(port=1)\n",
            "shop/__init__.py": "from flask import Flask\ndef create_app():\n"
            "    return Flask(__name__)\n",
            "shop/bot.py": _DISCORD,
        },
        web=("python run.py", "run.py:4"),
    ),
    _app(
        "discord.py: a Flask app starts the bot in a thread when it is imported",
        _ON_FLASK,
        {
            "app.py": f"from threading import Thread\nfrom main import start_bot\n{_FLASK}"
            f"Thread(target=start_bot).start()\n{_MAIN}    app.run(port=1)\n",
            "main.py": f"{_DISCORD}def start_bot():\n    bot.run('x')\n",
        },
        web=("gunicorn app:app", "app.py:4"),
    ),
    _app(
        "discord.py: one event loop for the bot and uvicorn",
        _ON_FASTAPI,
        {
            "main.py": f"import asyncio\nfrom uvicorn import Config, Server\n{_DISCORD}{_FASTAPI}"
            f"async def main():\n    await asyncio.gather(bot.start('x'), {_SERVED})\n"
            f"{_MAIN}    asyncio.run(main())\n"
        },
        web=("python main.py", "main.py:6"),
    ),
    _app(
        "discord.py: the bot's program serves the FastAPI app of another module",
        _ON_FASTAPI,
        {
            "main.py": f"import asyncio\nfrom uvicorn import Config, Server\n{_DISCORD}"
            "from api import app\nasync def main():\n"
            f"    await asyncio.gather(bot.start('x'), {_SERVED})\nasyncio.run(main())\n",
            "api.py": _FASTAPI,
        },
        web=("python main.py", "api.py:2"),
    ),
    _app(
        "discord.py: a program starts uvicorn in a process, and the bot",
        _ON_FASTAPI,
        {
            "main.py": "from multiprocessing import Process\nimport uvicorn\nfrom api import app\n"
            "from bot import bot\ndef serve():\n    uvicorn.run(app, port=1)\n"
            f"{_MAIN}    Process(target=serve).start()\n    bot.run('x')\n",
            "api.py": _FASTAPI,
            "bot.py": _DISCORD,
        },
        web=("python main.py", "main.py:6"),
    ),
    _app(
        "discord.py: the lifespan of a FastAPI app starts the bot",
        _ON_FASTAPI,
        {
            "main.py": f"import asyncio\nfrom contextlib import asynccontextmanager\n{_DISCORD}"
            "from fastapi import FastAPI\n@asynccontextmanager\nasync def lifespan(app):\n"
            "    task = asyncio.create_task(bot.start('x'))\n    yield\n"
            "app = FastAPI(lifespan=lifespan)\n"
        },
        web=(f"{UVICORN} main:app", "main.py:10"),
    ),
    _app(
        "discord.py: a FastAPI app starts the bot of another module, itself a program too",
        _ON_FASTAPI,
        {
            "main.py": f"import asyncio\nfrom bot import bot\n{_FASTAPI}"
            "@app.on_event('startup')\nasync def start():\n"
            "    asyncio.create_task(bot.start('x'))\n",
            "bot.py": f"{_DISCORD}{_MAIN}    bot.run('x')\n",
        },
        web=(f"{UVICORN} main:app", "main.py:4"),
    ),
    _app(
        "discord.py: aiohttp in the event loop of the bot",
        "discord-py aiohttp",
        {
            "bot.py": f"import os\n{_DISCORD}from aiohttp import web\n@bot.event\n"
            "async def setup_hook():\n    runner = web.AppRunner(web.Application())\n"
            f"    await web.TCPSite(runner, {_PORT}).start()\nbot.run('x')\n"
        },
        web=("python bot.py", "bot.py:7"),
    ),
    _app(
        "discord.py: a Quart app in the event loop of the bot",
        "discord-py quart hypercorn",
        {
            "main.py": f"{_DISCORD}from quart import Quart\napp = Quart(__name__)\n"
            "bot.loop.create_task(app.run_task(port=1))\nbot.run('x')\n"
        },
        web=("python main.py", "main.py:4"),
    ),
    _app(
        "discord.py: a thread of the bot answers requests at PORT",
        _ON_FLASK,
        {
            "main.py": f"import os\nfrom threading import Thread\n{_DISCORD}{_FLASK}"
            f"def run():\n    app.run({_PORT})\nThread(target=run).start()\nbot.run('x')\n"
        },
        web=("python main.py", "main.py:6"),
    ),
    _app(
        "discord.py: a thread of the bot has a server of the standard library at PORT",
        "discord-py",
        {
            "main.py": "import os, threading, discord\n"
            "from http.server import HTTPServer, BaseHTTPRequestHandler\ndef health():\n"
            "    port = int(os.environ.get('PORT', 8080))\n"
            "    HTTPServer(('', port), BaseHTTPRequestHandler).serve_forever()\n"
            "threading.Thread(target=health).start()\ndiscord.Client().run('x')\n"
        },
        web=("python main.py", "main.py:6"),
    ),
    _app(
        "discord.py: a listener of a Sanic app starts the bot",
        "discord-py sanic",
        {
            "main.py": f"from sanic import Sanic\n{_DISCORD}app = Sanic('x')\n"
            "@app.listener('before_server_start')\nasync def start(app, loop):\n"
            f"    app.add_task(bot.start('x'))\n{_MAIN}    app.run()\n"
        },
        web=(f"sanic main:app --host={HOST} --port={PORT} --single-process", "main.py:4"),
    ),
    _app(
        "telethon: aiohttp in the event loop of the client",
        "telethon aiohttp",
        {
            "main.py": "import os\nfrom aiohttp import web\nfrom telethon import TelegramClient\n"
            "client = TelegramClient('a', 1, 'b')\nclient.start()\n"
            f"client.loop.create_task(web._run_app(web.Application(), {_PORT}))\n"
            "client.run_until_disconnected()\n"
        },
        web=("python main.py", "main.py:5"),
    ),
    _app(
        "pyrogram: a package that streams files over aiohttp",
        "pyrogram aiohttp",
        {
            "bot/__init__.py": "",
            "bot/__main__.py": "import asyncio, os\nfrom aiohttp import web\n"
            "from pyrogram import Client, idle\nbot = Client('x')\nasync def start():\n"
            "    await bot.start()\n    runner = web.AppRunner(web.Application())\n"
            f"    await web.TCPSite(runner, {_PORT}).start()\n    await idle()\n"
            "asyncio.run(start())\n",
        },
        web=("python -m bot", "bot/__main__.py:7"),
    ),
    _app(
        "schedule: a program of NiceGUI runs its jobs in a thread",
        "nicegui schedule fastapi starlette uvicorn",
        {
            "main.py": "import os, threading, schedule\nfrom nicegui import ui\ndef jobs():\n"
            "    while True:\n        schedule.run_pending()\n"
            f"threading.Thread(target=jobs).start()\nui.run({_PORT})\n"
        },
        web=("python main.py", "main.py:7"),
    ),
)

_SEPARATE = (
    _app(
        "discord.py: a bot in a file of its own uses the models of a Flask app",
        _ON_FLASK,
        {
            "app.py": f"{_FLASK}db = None\n",
            "bot.py": f"{_DISCORD}from app import app, db\n@bot.event\nasync def on_ready():\n"
            "    with app.app_context(): ...\nbot.run('x')\n",
        },
        web=("gunicorn app:app", "app.py:2"),
        worker=("python bot.py", "bot.py:7"),
    ),
    _app(
        "discord.py: a bot in a file of its own beside a FastAPI app",
        _ON_FASTAPI,
        {"main.py": _FASTAPI, "bot.py": f"{_DISCORD}{_MAIN}    bot.run('x')\n"},
        web=(f"{UVICORN} main:app", "main.py:2"),
        worker=("python bot.py", "bot.py:4"),
    ),
    _app(
        "discord.py: a FastAPI app whose file is the bot if it is run",
        _ON_FASTAPI,
        {"main.py": f"{_DISCORD}{_FASTAPI}{_MAIN}    bot.run('x')\n"},
        web=(f"{UVICORN} main:app", "main.py:4"),
        worker=("python main.py", "main.py:6"),
    ),
    _app(
        "aiogram: a FastAPI app for webhooks, and a program that polls",
        "aiogram aiohttp fastapi starlette uvicorn",
        {
            "app.py": f"from aiogram import Bot, Dispatcher\n{_FASTAPI}dp = Dispatcher()\n"
            "@app.post('/hook')\nasync def hook(update): await dp.feed_update(update)\n",
            "main.py": "import asyncio\nfrom app import app, dp\n"
            f"{_MAIN}    asyncio.run(dp.start_polling())\n",
        },
        web=(f"{UVICORN} app:app", "app.py:3"),
        worker=("python main.py", "main.py:4"),
    ),
)

_BOTS_ALONE = (
    _app(
        "discord.py: a thread of the bot answers requests at a fixed port",
        _ON_FLASK,
        {
            "main.py": f"from threading import Thread\n{_DISCORD}{_FLASK}"
            "def run():\n    app.run(port=8080)\nThread(target=run).start()\nbot.run('x')\n"
        },
        worker=("python main.py", "main.py:9"),
    ),
    _app(
        "discord.py: keep_alive.py answers requests in a thread",
        _ON_FLASK,
        {
            "main.py": f"{_DISCORD}from keep_alive import keep_alive\nkeep_alive()\n"
            "bot.run('x')\n",
            "keep_alive.py": f"from threading import Thread\n{_FLASK}def run():\n"
            "    app.run(port=8080)\ndef keep_alive():\n    Thread(target=run).start()\n",
        },
        worker=("python main.py", "main.py:5"),
    ),
    _app(
        "aiogram: polling",
        "aiogram aiohttp",
        {
            "main.py": "import asyncio\nfrom aiogram import Bot, Dispatcher\ndp = Dispatcher()\n"
            "async def main():\n    await dp.start_polling(Bot('x'))\n"
            f"{_MAIN}    asyncio.run(main())\n"
        },
        worker=("python main.py", "main.py:5"),
    ),
    _app(
        "slack-bolt: socket mode with a name for the handler",
        "slack-bolt",
        {
            "app.py": "import os\nfrom slack_bolt import App\n"
            "from slack_bolt.adapter.socket_mode import SocketModeHandler\napp = App()\n"
            f"{_MAIN}    handler = SocketModeHandler(app, os.environ['TOKEN'])\n"
            "    handler.start()\n"
        },
        worker=("python app.py", "app.py:6"),
    ),
    _app(
        "slack-bolt: socket mode beside a loop and a job that start",
        "slack-bolt",
        {
            "app.py": "from slack_bolt import App\nfrom jobs import job, loop, report\n"
            "from slack_bolt.adapter.socket_mode import SocketModeHandler\napp = App()\n"
            "loop.start(30)\njob.start(report)\n"
            f"{_MAIN}    SocketModeHandler(app, 'x').start()\n"
        },
        worker=("python app.py", "app.py:8"),
    ),
)

_WEBHOOKS = (
    _app(
        "aiogram: webhook over aiohttp",
        "aiogram aiohttp",
        {
            "main.py": "import os\nfrom aiohttp import web\nfrom aiogram import Bot, Dispatcher\n"
            "from aiogram.webhook.aiohttp_server import SimpleRequestHandler\ndef main():\n"
            "    app = web.Application()\n"
            "    SimpleRequestHandler(Dispatcher(), Bot('x')).register(app, path='/hook')\n"
            f"    web.run_app(app, {_PORT})\n{_MAIN}    main()\n"
        },
        web=("python main.py", "main.py:8"),
    ),
    _app(
        "aiogram: webhook over aiohttp, or polling",
        "aiogram aiohttp",
        {
            "main.py": "import os, asyncio\nfrom aiohttp import web\nfrom aiogram import "
            f"Dispatcher\ndp = Dispatcher()\n{_MAIN}    if os.environ.get('WEBHOOK'):\n"
            f"        web.run_app(web.Application(), {_PORT})\n"
            "    else:\n        asyncio.run(dp.start_polling())\n"
        },
        web=("python main.py", "main.py:7"),
    ),
    _app(
        "aiogram 2: webhook, with the bot of another module",
        "aiogram aiohttp",
        {
            "main.py": "import os\nfrom aiogram.utils.executor import start_webhook\n"
            f"from loader import dp\n{_MAIN}    start_webhook(dp, '/hook', {_PORT})\n",
            "loader.py": "from aiogram import Bot, Dispatcher\ndp = Dispatcher(Bot('x'))\n",
        },
        web=("python main.py", "main.py:5"),
    ),
    _app(
        "python-telegram-bot: webhook, or polling",
        "python-telegram-bot",
        {
            "bot.py": "import os\nfrom telegram.ext import Application\n"
            f"app = Application.builder().build()\n{_MAIN}    if os.environ.get('URL'):\n"
            f"        app.run_webhook({_PORT})\n    else:\n        app.run_polling()\n"
        },
        web=("python bot.py", "bot.py:6"),
    ),
    _app(
        "python-telegram-bot: webhook in a FastAPI app",
        "python-telegram-bot fastapi starlette uvicorn",
        {
            "main.py": f"import uvicorn\nfrom telegram.ext import Application\n{_FASTAPI}"
            "telegram = Application.builder().build()\n@app.post('/hook')\n"
            "async def hook(update): await telegram.process_update(update)\n"
            f"{_MAIN}    uvicorn.run(app, port=1)\n"
        },
        web=(f"{UVICORN} main:app", "main.py:4"),
    ),
    _app(
        "python-telegram-bot: webhook in a FastAPI app that starts and stops the bot",
        "python-telegram-bot fastapi starlette uvicorn",
        {
            "main.py": "from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\n"
            "from telegram.ext import Application\nbot = Application.builder().build()\n"
            "@asynccontextmanager\nasync def lifespan(app):\n    await bot.start()\n    yield\n"
            "    await bot.stop()\napp = FastAPI(lifespan=lifespan)\n"
        },
        web=(f"{UVICORN} main:app", "main.py:10"),
    ),
    _app(
        "python-telegram-bot: webhook in a Starlette app of a program",
        "python-telegram-bot starlette uvicorn",
        {
            "bot.py": "import asyncio, os, uvicorn\nfrom starlette.applications import Starlette\n"
            "from telegram.ext import Application\nasync def main():\n"
            "    bot = Application.builder().updater(None).build()\n"
            f"    server = uvicorn.Server(uvicorn.Config(Starlette(), {_PORT}))\n"
            "    async with bot:\n        await bot.start()\n        await server.serve()\n"
            f"{_MAIN}    asyncio.run(main())\n"
        },
        web=("python bot.py", "bot.py:10"),
    ),
    _app(
        "pyTelegramBotAPI: its own webhook server",
        "pytelegrambotapi fastapi starlette uvicorn",
        {
            "bot.py": "import os, telebot\nbot = telebot.TeleBot('x')\n"
            f"bot.run_webhooks(listen='0.0.0.0', {_PORT})\n"
        },
        web=("python bot.py", "bot.py:3"),
    ),
    _app(
        "pyTelegramBotAPI: webhook in a Flask app",
        "pytelegrambotapi flask gunicorn",
        {"bot.py": f"{_TELEBOT}{_HOOK}{_MAIN}    bot.set_webhook('y')\n    app.run(port=1)\n"},
        web=("gunicorn bot:app", "bot.py:3"),
    ),
    _app(
        "pyTelegramBotAPI: webhook in a Flask app, or polling",
        "pytelegrambotapi flask gunicorn",
        {
            "bot.py": f"{_TELEBOT}{_HOOK}{_MAIN}    if 'PORT' in os.environ:\n"
            f"        app.run({_PORT})\n    else:\n        bot.infinity_polling()\n"
        },
        web=("python bot.py", "bot.py:3"),
    ),
    _app(
        "hikari: interactions over HTTP",
        "hikari",
        {"bot.py": f"import os, hikari\nbot = hikari.RESTBot('x')\nbot.run({_PORT})\n"},
        web=("python bot.py", "bot.py:2"),
    ),
    _app(
        "discord-interactions: a Flask app",
        f"{_ON_FLASK} discord-interactions",
        {
            "app.py": "from discord_interactions import verify_key_decorator\n"
            f"{_FLASK}{_MAIN}    app.run(port=1)\n"
        },
        web=("gunicorn app:app", "app.py:3"),
    ),
    _app(
        "line-bot-sdk: webhook in a Flask app",
        "line-bot-sdk flask gunicorn",
        {"app.py": f"from linebot.v3 import WebhookHandler\n{_FLASK}{_MAIN}    app.run()\n"},
        web=("gunicorn app:app", "app.py:3"),
    ),
    _app(
        "slack-bolt: over HTTP, under another name",
        "slack-bolt",
        {
            "app.py": f"import os\nfrom slack_bolt import App\nbolt = App()\n{_MAIN}"
            "    bolt.start(int(os.environ.get('PORT', 3000)))\n"
        },
        web=("python app.py", "app.py:5"),
    ),
    _app(
        "slack-bolt: over HTTP, with options",
        "slack-bolt",
        {
            "app.py": "import argparse\nfrom slack_bolt.async_app import AsyncApp\n"
            "parser = argparse.ArgumentParser()\nparser.add_argument('--port', type=int)\n"
            f"bolt = AsyncApp()\n{_MAIN}    args = parser.parse_args()\n"
            "    bolt.start(args.port)\n"
        },
        web=(f"python app.py --port {PORT}", "app.py:8"),
    ),
    _app(
        "slack-bolt: in a Flask app",
        "slack-bolt flask gunicorn",
        {
            "app.py": "from flask import Flask\nfrom slack_bolt import App\n"
            "from slack_bolt.adapter.flask import SlackRequestHandler\nbolt = App()\n"
            "site = Flask(__name__)\nhandler = SlackRequestHandler(bolt)\n"
            f"{_MAIN}    site.run(port=3000)\n"
        },
        web=("gunicorn app:site", "app.py:5"),
    ),
    _app(
        "slack-bolt: the lifespan of a FastAPI app opens the socket",
        "slack-bolt fastapi starlette uvicorn",
        {
            "main.py": "from contextlib import asynccontextmanager\nfrom fastapi import FastAPI\n"
            "from slack_bolt.async_app import AsyncApp\n"
            "from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler\n"
            "bolt = AsyncApp()\n@asynccontextmanager\nasync def lifespan(api):\n"
            "    handler = AsyncSocketModeHandler(bolt, 'x')\n"
            "    await handler.connect_async()\n    yield\n"
            "api = FastAPI(lifespan=lifespan)\n"
        },
        web=(f"{UVICORN} main:api", "main.py:11"),
    ),
)
BOT_APPS = (*_SERVERS_WITH_BOT, *_SEPARATE, *_BOTS_ALONE, *_WEBHOOKS)
