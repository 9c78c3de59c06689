module cnb-python/tools/lifecycle

go 1.26.6

require github.com/buildpacks/lifecycle v0.21.17

replace github.com/osscontainertools/kaniko => github.com/osscontainertools/kaniko v1.27.5
