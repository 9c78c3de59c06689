module cnb-python/tools/lifecycle

go 1.26.5

require github.com/buildpacks/lifecycle v0.21.14
