module flowledger.test/hubble-cli

go 1.25

require github.com/cilium/cilium v1.16.6
