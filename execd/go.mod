module cnb-python/execd

go 1.25
