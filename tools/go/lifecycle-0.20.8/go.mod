module cnb-python/tools/lifecycle

go 1.24.0

require github.com/buildpacks/lifecycle v0.20.8
