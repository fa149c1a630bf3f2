module flowledger.test/hubble-cli

go 1.25.0

require github.com/cilium/cilium v1.19.4
