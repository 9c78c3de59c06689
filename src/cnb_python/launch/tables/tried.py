"""The releases of frameworks and tools with which their found commands were started.

Each was started as a user without a name, who may not write to the app's directory. It answered a
request, or did a job if it is a worker, and ended after SIGTERM. `docs/processes.md` is generated
from it.
"""

from collections.abc import Mapping

# By their titles in the tables. `make thorough` or, by hand, `make frameworks` starts a sample of
# each row.
TRIED: Mapping[str, str] = {
    "aiogram": "3.31.0",
    "APScheduler": "3.11.3",
    "arq": "0.28.0",
    "BentoML": "1.4.40",
    "Bokeh": "3.10.2",
    "Celery": "5.7.0",
    "Celery with a schedule": "5.7.0",
    "Celery with django-celery-beat": "2.9.0",
    "Chainlit": "2.12.0",
    "Connexion": "3.3.0",
    "Dash": "4.4.1",
    "Datasette": "0.65.5",
    "discord.py": "2.7.1",
    "disnake": "2.12.2",
    "django-dramatiq": "0.15.0",
    "django-q": "1.11.1",
    "django-rq": "4.2.0",
    "Dramatiq": "2.2.1",
    "FastHTML": "0.14.14",
    "FastMCP": "4.2.3",
    "Faust": "0.15.3",
    "Flower": "2.2.0",
    "Functions Framework": "3.10.2",
    "Gradio": "6.31.0",
    "gRPC": "1.85.3",
    "hikari": "2.7.0",
    "Huey": "3.5.4",
    "Jupyter Notebook": "7.6.5",
    "JupyterLab": "4.6.6",
    "LiteLLM": "1.108.7",
    "Marimo": "0.25.2",
    "Mesop": "1.3.7",
    "MLflow": "3.17.2",
    "nextcord": "3.2.0",
    "Panel": "1.10.0",
    "Procrastinate": "3.10.0",
    "Pyrogram": "2.2.26 (kurigram)",
    "pyTelegramBotAPI": "4.37.1",
    "python-telegram-bot": "22.8",
    "Ray Serve": "2.60.0",
    "Robyn": "0.88.0",
    "RQ": "3.0.0",
    "schedule": "1.2.2",
    "Slack Bolt": "1.30.0",
    "Solara": "1.64.1",
    "Taskiq": "0.13.0",
    "Telethon": "1.45.0",
    "Voila": "0.5.13",
}
