#!/bin/sh
# What a backfill of a million rows costs those who use the table meanwhile: docs/zero-downtime.md. It needs psql, pgbench,
# and an empty database that PGHOST, PGDATABASE and so on name; its table t and the journal are made anew each time.
#
#   benches/backfill.sh                       with the defaults
#   benches/backfill.sh --busy-batch-ms 0     with options of `tenantry resume`
#
# SECONDS_OF_LOAD (100) must outlast the backfill; CLIENTS (8) and RATE (300 transactions a second) are the load, 0 none.
# With TURN=5 the backfill goes on and is stopped (Ctrl-C) every 5 seconds in turns, and transactions during its turns are
# told beside those of the turns between: what else the disk and the machine have to do then counts for both alike.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
tenantry=${TENANTRY:-$here/target/debug/tenantry}
load=${SECONDS_OF_LOAD:-100} turn=${TURN:-0} clients=${CLIENTS:-8} rate=${RATE:-300}
rows=1000000 alone=8
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { psql -qXAt -v ON_ERROR_STOP=1 "$@"; }

say -c 'SET client_min_messages = warning' -c 'DROP TABLE IF EXISTS public.t' -c 'DROP SCHEMA IF EXISTS tenantry CASCADE' \
    -c 'DROP FUNCTION IF EXISTS public.t_b_is_filled()' \
    -c 'CREATE TABLE public.t (id bigserial PRIMARY KEY, a text NOT NULL, n integer NOT NULL DEFAULT 0)' \
    -c "INSERT INTO public.t (a) SELECT 'row number ' || g FROM generate_series(1, $rows) g"
say -c 'VACUUM ANALYZE public.t'

cd "$work"
mkdir schema
cat > schema/t.sql <<'SQL'
CREATE TABLE t (id bigserial PRIMARY KEY, a text NOT NULL, n integer NOT NULL DEFAULT 0, b text NOT NULL);
SQL
cat > schema/t.toml <<'TOML'
[table."public.t".columns]
b = { backfill = "upper(a)" }
TOML
printf '[schema]\npaths = ["schema"]\n' > tenantry.toml
"$tenantry" plan --out plan.toml > plan.out 2>&1
"$tenantry" apply plan.toml --accept all --yes --through expand > apply.out 2>&1
say -c 'CHECKPOINT'

cat > load.sql <<SQL
\\set id random(1, $rows)
BEGIN;
SELECT n FROM t WHERE id = :id;
UPDATE t SET n = n + 1 WHERE id = :id;
COMMIT;
SQL
if [ "$rate" -gt 0 ]; then
    pgbench -n -f load.sql -c "$clients" -j 1 -R "$rate" -T "$load" -l --log-prefix="$work/log" > pgbench.out 2>&1 &
    sleep "$alone"
fi
# When transactions ended, in whole seconds: the second in which a turn ends belongs to neither.
begin=$(date +%s)
if [ "$turn" -gt 0 ]; then
    until grep -q ' took ' resume.out 2> /dev/null; do
        from=$(date +%s)
        timeout --signal=INT "$turn" "$tenantry" resume --yes --through backfill "$@" > resume.out 2>&1 || true
        echo "$from $(date +%s)" >> turns
        sleep "$turn"
    done
else
    "$tenantry" resume --yes --through backfill "$@" > resume.out 2>&1
fi
end=$(date +%s)
[ -e turns ] || echo "$begin $end" > turns
grep ' took ' resume.out || true
[ "$rate" -gt 0 ] || exit 0
wait

# Of a line: the transaction's latency in microseconds is the third word, when it ended the fifth.
awk -v begin="$begin" -v end="$end" '
    FILENAME == "turns" { from[NR] = $1; to[NR] = $2; turns = NR; next }
    {
        part = $5 < begin ? "1 before" : $5 <= end ? "3 between" : "4 after"
        for (i = 1; i <= turns; i++) {
            if ($5 > from[i] && $5 < to[i]) part = "2 during"
            else if ($5 == from[i] || $5 == to[i]) part = "none"
        }
        if (part != "none") print part, $3 / 1000
    }' turns log.* | sort -k1,1 -k3,3n | awk '
    function told() {
        if (n) printf "%s: %d transactions, p50 %.1f ms, p99 %.1f ms, longest %.0f ms\n", part, n,
            ms[int((n + 1) / 2)], ms[int((n * 99 + 99) / 100)], ms[n]
        n = 0
    }
    $2 != part { told(); part = $2 }
    { ms[++n] = $3 }
    END { told() }'
