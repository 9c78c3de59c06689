module cnb-python/tools/pack

go 1.25.10

require github.com/buildpacks/pack v0.40.6

replace github.com/BurntSushi/toml => github.com/BurntSushi/toml v1.3.2
