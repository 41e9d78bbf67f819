#!/bin/sh
# What a backfill of a million rows costs those who use the table meanwhile: docs/zero-downtime.md. It needs psql, pgbench,
# and an empty database that PGHOST, PGDATABASE and so on name; its table t and the journal are made anew each time.
#
#   benches/backfill.sh                       with the defaults
#   benches/backfill.sh --busy-batch-ms 0     with options of `tenantry resume`
#
# SECONDS_OF_LOAD (80) must outlast the backfill; CLIENTS (8) and RATE (300 transactions a second) are the load, 0 none.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
tenantry=${TENANTRY:-$here/target/debug/tenantry}
load=${SECONDS_OF_LOAD:-80} clients=${CLIENTS:-8} rate=${RATE:-300}
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
begin=$(date +%s)
"$tenantry" resume --yes --through backfill "$@" > resume.out 2>&1
end=$(date +%s)
grep ' took ' resume.out || true
[ "$rate" -gt 0 ] || exit 0
wait

# Of a line: the transaction's latency in microseconds is the third word, when it ended the fifth.
for part in before during after; do
    awk -v part="$part" -v begin="$begin" -v end="$end" '
        { when = $5 < begin ? "before" : $5 <= end ? "during" : "after" } when == part { print $3 / 1000 }' log.* |
        sort -n | awk -v part="$part" '
            { ms[NR] = $1 }
            END { if (NR) printf "%s: %d transactions, p50 %.1f ms, p99 %.1f ms, longest %.0f ms\n", part, NR,
                      ms[int((NR + 1) / 2)], ms[int((NR * 99 + 99) / 100)], ms[NR] }'
done
