"""The words for what goes wrong when the app's own code runs while it is built."""

from cnb_python.errors import PackagesChanged
from cnb_python.wording.message import Message


def packages_changed(failure: PackagesChanged) -> Message:
    """Say that what was installed has to stay as it is."""
    more = f", and {failure.count - 1} more," if failure.count > 1 else ""
    return Message(
        title="What was installed has been changed while the app's own code ran",
        body=(
            f"{failure.path}{more} is not as it was installed any more.",
            (
                "Packages come from the app's files alone, so that every build gives the same "
                "image. What collectstatic and the scripts in bin/ change there would be lost."
            ),
        ),
        steps=(
            (
                "List what the app needs with its other requirements instead of installing it in "
                "a script."
            ),
            "Have the script write below the app's own directory.",
        ),
    )
