#!/bin/sh
# Measures the host on tests/spin-app with wrk: a text, a chain of two components, SQLite.
#
# usage: tests/host-bench/measure.sh <target folder of cargo> <folder of the guests' .wasm> [seconds]
#
# Build first:
#   cargo build --release -p auscult-host --example serve
#   cargo build --release --target wasm32-wasip2 --manifest-path tests/spin-app/Cargo.toml --target-dir target
# wrk runs on the same cores as the host, as it did for the figures of Spin this is compared with.
set -eu
target=${1:-target}
guests=${2:-target/wasm32-wasip2/release}
seconds=${3:-10}
here=$(cd "$(dirname "$0")/../spin-app" && pwd)
guests=$(cd "$guests" && pwd)
work=$(mktemp -d)
address=127.0.0.1:4180

sed "s#../../target/wasm32-wasip2/release#$guests#" "$here/spin.toml" > "$work/spin.toml"
cp -r "$here/assets" "$work/assets"
RUST_LOG=warn "$target/release/examples/serve" "$work/spin.toml" "$work/data" "$address" token=t &
host=$!
trap 'kill -INT $host; wait $host || true; rm -rf "$work"' EXIT
until curl -fso /dev/null "http://$address/readyz"; do sleep 0.1; done

echo "load before: $(cat /proc/loadavg)"
for path in text chain sqlite healthz; do
    for connections in 1 16 64; do
        printf '%-8s %3d connections: ' "$path" "$connections"
        wrk -t1 -c"$connections" -d"${seconds}s" --latency "http://$address/$path" |
            awk '/99%/ { p99 = $2 } /Non-2xx/ { bad = $0 } /Requests\/sec/ { rate = $2 }
                 END { print rate " requests/s, p99 " p99 bad }'
    done
done
curl -s "http://$address/metrics" |
    awk '/^auscult_host_instantiate_seconds_(sum|count)/ { value[$1] = $2 }
         END { printf "mean time to make an instance: %.1f us\n",
               1e6 * value["auscult_host_instantiate_seconds_sum"] / value["auscult_host_instantiate_seconds_count"] }'
echo "resident memory: $(awk '/VmRSS/ { print $2 " " $3 }' /proc/$host/status)"
