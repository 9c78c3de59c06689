#!/bin/sh
# Builds an app with a container engine alone, one container for each phase, as an untrusted
# builder needs it: only analyzer, restorer and exporter reach the registry's login.
#
#   APP=. IMAGE=registry.example.com/my-app:latest TAG=registry.example.com/my-app:$SHA \
#     BUILDER=... RUN_IMAGE=... deploy/docker/build.sh
#
# IMAGE must be in a registry; export CNB_REGISTRY_AUTH with its login. BINDINGS and PLATFORM_ENV:
# absolute paths of directories with service bindings, and with a file for each variable of the
# build. NETWORK: the containers' network. CACHE: the volume with the cache. DOCKER: another client, such as podman.
set -eu

docker="${DOCKER:-docker}"
app="$(cd "${APP:-.}" && pwd)"
name="cnb-$$"
user="$($docker run --rm --entrypoint /bin/sh "$BUILDER" -c 'echo "$CNB_USER_ID"')"
group="$($docker run --rm --entrypoint /bin/sh "$BUILDER" -c 'echo "$CNB_GROUP_ID"')"
cache="${CACHE:-cnb-cache-$(printf %s "$IMAGE" | tr -c 'a-zA-Z0-9\n' -)}"

$docker volume create "$name-layers" > /dev/null
$docker volume create "$name-workspace" > /dev/null
$docker volume create "$cache" > /dev/null
trap '$docker volume rm --force "$name-layers" "$name-workspace" > /dev/null' EXIT

# Runs a phase: "login" or nothing, user, program, arguments.
phase() {
    login="$1" as="$2" program="$3"
    shift 3
    $docker run --rm --user "$as" --network "${NETWORK:-bridge}" \
        --env CNB_PLATFORM_API="${CNB_PLATFORM_API:-0.13}" \
        ${login:+--env CNB_REGISTRY_AUTH} \
        --volume "$name-layers:/layers" \
        --volume "$name-workspace:/workspace" \
        --volume "$cache:/cache" \
        ${BINDINGS:+--volume "$BINDINGS:/platform/bindings:ro"} \
        ${PLATFORM_ENV:+--volume "$PLATFORM_ENV:/platform/env:ro"} \
        --entrypoint "/cnb/lifecycle/$program" \
        "$BUILDER" "$@"
}

# The app becomes the build user's, in a volume: the build cannot change your files.
$docker run --rm --user 0 --volume "$app:/source:ro" --volume "$name-workspace:/workspace" \
    --volume "$name-layers:/layers" --volume "$cache:/cache" --entrypoint /bin/sh "$BUILDER" \
    -c "cp -a /source/. /workspace/ && chown -R $user:$group /workspace /layers /cache"

ids="-uid $user -gid $group"
phase login 0 analyzer $ids -run-image "$RUN_IMAGE" ${TAG:+-tag "$TAG"} "$IMAGE"
phase "" "$user:$group" detector -app /workspace
phase login 0 restorer $ids -cache-dir /cache
phase "" "$user:$group" builder -app /workspace
phase login 0 exporter $ids -app /workspace -cache-dir /cache "$IMAGE" ${TAG:+"$TAG"}
