"""A stand-in for a Node.js buildpack: it puts `node` on PATH and "builds" as Vite and webpack do.

The manifests are those of Vite 7, and of webpack 5.113 with webpack-bundle-tracker 3.
"""

from pathlib import Path

from tests.support.trees import write_files

_TOML = """\
api = "0.10"

[buildpack]
id = "tests/node"
version = "1.0"

[[targets]]
os = "linux"
"""
# The name of the output depends on the source, and the manifest names it.
_BUILD = """\
#!/bin/sh
set -e
layers=$1
mkdir -p "$layers/node/bin"
printf '#!/bin/sh\\necho v24.1.0\\n' > "$layers/node/bin/node"
chmod 755 "$layers/node/bin/node"
printf '[types]\\nbuild = true\\nlaunch = true\\n' > "$layers/node.toml"
hash=$(sha256sum frontend/main.js | cut -c 1-8)
mkdir -p frontend/dist/.vite
cp frontend/main.js "frontend/dist/main-$hash.js"
printf '{"frontend/main.js": {"file": "main-%s.js", "isEntry": true}}' "$hash" \
    > frontend/dist/.vite/manifest.json
mkdir -p frontend/bundles
file="main-$hash.bundle.js"
cp frontend/main.js "frontend/bundles/$file"
path="$PWD/frontend/bundles/$file"
cat > webpack-stats.json << END
{
  "status": "done",
  "assets": {"$file": {"name": "$file", "path": "$path"}},
  "chunks": {"main": ["$file"]}
}
END
echo "Stand-in for Node.js: built main-$hash.js"
"""


def node_buildpack(directory: Path) -> Path:
    """Write the buildpack to the new *directory* and return that."""
    detect = "#!/bin/sh\ntest -f package.json\n"
    write_files(directory, {"buildpack.toml": _TOML, "bin/detect": detect, "bin/build": _BUILD})
    for path in (directory, directory / "bin", *(directory / "bin").iterdir()):
        path.chmod(0o755)
    return directory
