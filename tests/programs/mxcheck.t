#!/bin/sh
# mxcheck: what a domain has that mail could go to, over real DNS packets.
. "$(dirname "$0")/../lib.sh"

/usr/bin/python3 -c 'import yaml' 2>/dev/null || need python3-yaml
cat >"$work/zone" <<'END'
zonedata:
  xn--bcher-kva.test: [{ A: 192.0.2.1 }]
  mx.test: [{ MX: [10, mail.mx.test] }]
  two.test: [{ MX: [10, mail.mx.test] }, { MX: [20, ""] }]
  null.test: [{ MX: [0, ""] }, { A: 192.0.2.1 }]
  odd.test: [{ MX: [10, "a b.test"] }]
  a.test: [{ A: 192.0.2.1 }]
  aaaa.test: [{ AAAA: "2001:db8::1" }]
  txt.test: [{ TXT: nothing }]
  alias.test: [{ CNAME: mx.test }]
  alias-of-a.test: [{ CNAME: a.test }]
  alias-of-none.test: [{ CNAME: nx.test }]
  fails.test: [SERVFAIL]
  mx-fails.test: [{ A: 192.0.2.1 }, { AAAA: "2001:db8::1" }, SERVFAIL]
  a-fails.test: [{ AAAA: "2001:db8::1" }, { MX: NONE }, SERVFAIL]
  mx-only.test: [{ MX: [10, mail.mx.test] }, TIMEOUT]
  silent.test: [TIMEOUT]
END
start_server "$work/dns-log" spf-suite -s "$work/zone" "$work/questions"
export DNSCACHEIP="127.0.0.1:$port"

# mx DOMAIN WORD CODE NAME
mx() {
	got=$(mxcheck -t 5 "$1" 2>&1)
	is "$got $?" "$2 $3" "$4"
}
mx mx.test ok 0 "an MX record"
mx MX.Test. ok 0 "in any case, with a last dot"
mx two.test ok 0 "one and the root"
mx null.test nullmx 2 "the root alone, whatever the address"
mx odd.test ok 0 "one that nobody can have is one"
mx a.test ok 0 "an address"
mx aaaa.test ok 0 "an address of IPv6"
mx txt.test none 1 "a name with neither"
mx nx.test none 1 "no such name"
mx alias.test ok 0 "an alias of one with an MX"
mx alias-of-a.test ok 0 "an alias of one with an address"
mx alias-of-none.test none 1 "an alias of nothing"
mx fails.test temporary 111 "a failure"
mx mx-fails.test temporary 111 "a failure for MX, though there is an address"
mx mx-only.test ok 0 "an MX is enough: nothing else is waited for"
mx "$(printf 'b\303\274cher.test')" ok 0 "a name that is not ASCII"
mx "$(printf 'b\374cher.test')" none 1 "or not UTF-8 either"
mx '[192.0.2.1]' ok 0 "an address literal"
mx '[IPv6:2001:db8::1]' ok 0 "one of IPv6"
mx '[192.0.2.256]' none 1 "no address literal"
# It has asked for all at once, and not waited for this one.
wait_for_line "$work/questions" ' AAAA .192\.0\.2\.256'
: >"$work/questions"
for name in '' . .test a..test test.. \
	"$(printf '%064d' 0).test" "$(printf '%0254d' 0)"; do
	mx "$name" none 1 "no name: $name"
done
is "$(cat "$work/questions")" "" "what is no name is not asked for"
mx 'a\.b c%.test' none 1 "a name with odd bytes is"
like "$(cat "$work/questions")" '^udp MX a\\\.b c%\.test$' "as it stands"

got=$(mxcheck -t 1 silent.test)
is "$got $?" 'temporary 111' "silence, for a second"
/usr/bin/python3 -c 'import dnslib' 2>/dev/null || need python3-dnslib
start_server "$work/faults-log" dns-faults
got=$(DNSCACHEIP=127.0.0.1:$port mxcheck mxnx.test)
is "$got $?" 'none 1' "no such name: nothing else is waited for"
# usage ARGUMENTS
usage() {
	# shellcheck disable=SC2086 # a list of words
	got=$(mxcheck $1 2>&1)
	like "$? $got" '^100 mxcheck: ' "wrong use: $1"
}
usage ''
usage 'a.test b.test'
usage '-t 0 a.test'
usage '-x a.test'
is "$(DNSCACHEIP=nowhere mxcheck '[192.0.2.1]' 2>&1)" ok \
	"without a question, it does not matter whom to ask"
is "$(DNSCACHEIP=nowhere mxcheck -t 1 a.test 2>&1 >/dev/null)" \
	'mxcheck: warning: DNSCACHEIP is no list of addresses' \
	"otherwise there is a warning"
mxcheck a.test >/dev/full 2>"$work/errors"
is "$? $(cat "$work/errors")" "111 mxcheck: fatal: unable to write output: \
out of disk space" "nobody to write to"
done_testing
