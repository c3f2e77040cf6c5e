#!/bin/sh
# spfcheck: what it is given and what it prints; that hostile records and
# clients get no line of their own, and no more look-ups than they may have.
. "$(dirname "$0")/../lib.sh"

/usr/bin/python3 -c 'import yaml' 2>/dev/null || need python3-yaml
cat >"$work/zone" <<'END'
zonedata:
  pass.test: [{ SPF: "v=spf1 +all" }]
  fail.test: [{ SPF: "v=spf1 -all exp=why.test" }]
  why.test: [{ TXT: "you, %{h} %{s} of %{c}, are not %{d}; says %{r}" }]
  softfail.test: [{ SPF: "v=spf1 ~all" }]
  neutral.test: [{ SPF: "v=spf1" }]
  wrong.test: [{ SPF: "v=spf1 \r\nX-Evil: yes" }]
  evil.test: [{ SPF: "v=spf1 exists:evil\x01\x1b -all" }]
  fails.test: [SERVFAIL]
  silent.test: [TIMEOUT]
  utf8.test: [{ SPF: "v=spf1 exists:%{l}.test ip4:192.0.2.1 -all" }]
  moved.test: [{ SPF: "v=spf1 redirect=%{l}.test" }]
  long.test: [{ SPF: "v=spf1 exists:%{l}%{s}%{h}.test -all" }]
  slow.test: [{ SPF: "v=spf1 include:slow1.test a:slow2.test exists:%{l}.test mx:slow3.test ip4:192.0.2.1 a:slow4.test -all" }, DELAY]
  slow1.test: [{ SPF: "v=spf1 -all" }, DELAY]
  slow2.test: [{ A: 192.0.2.99 }, DELAY]
  slow3.test: [{ MX: [1, h1.test] }, DELAY]
  host.test: [{ A: 192.0.2.1 }]
  1.2.0.192.in-addr.arpa: [{ PTR: other.test }, { PTR: host.test }]
  2.2.0.192.in-addr.arpa: [{ PTR: host.test }]
  3.2.0.192.in-addr.arpa: [SERVFAIL]
  4.2.0.192.in-addr.arpa: [{ PTR: fails.test }]
  5.2.0.192.in-addr.arpa: [TIMEOUT]
  6.2.0.192.in-addr.arpa: [{ PTR: "evil\n.test" }]
  1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa: [{ PTR: six.test }]
  six.test: [{ AAAA: "2001:db8::1" }]
  many.test:
    - SPF: v=spf1 mx ptr mx:many2.test -all
    - MX: [1, h1.test]
    - MX: [2, h2.test]
    - MX: [3, h3.test]
  nullmx.test: [{ SPF: "v=spf1 mx -all" }, { MX: [0, ""] }]
  unexplained.test: [{ SPF: "v=spf1 -all exp=silent.test" }]
  many2.test: [{ MX: [1, h1.test] }, { MX: [2, h4.test] }]
END
{
	printf '  large.test: [{ TXT: ["v=spf1 ip4:192.0.2.1", " -all"] }'
	for i in 1 2 3 4 5 6; do printf ', { TXT: "%0250d" }' $i; done
	echo ']'
} >>"$work/zone"
start_server "$work/dns-log" spf-suite -s "$work/zone" "$work/questions"
export DNSCACHEIP="127.0.0.1:$port" SPFRECEIVER=receiver.test
unset SPF_BLOCK_PLUS_ALL

# run ARGUMENTS: $code and the lines
run() {
	spfcheck "$@" >"$work/out" 2>"$work/errors"
	code=$?
	result=$(sed -n 1p "$work/out")
	explanation=$(sed -n 2p "$work/out")
	field=$(sed -n 3p "$work/out")
}
# gives CODE RESULT DOMAIN
gives() {
	run -t 5 192.0.2.1 h.test "a@$3"
	is "$code $result $(wc -l <"$work/out")$(cat "$work/errors")" "$1 $2 3" \
		"$2, in three lines"
}
gives 0 pass pass.test
is "$explanation" "" "there is nothing to explain"
gives 1 fail fail.test
is "$explanation" "you, h.test a@fail.test of 192.0.2.1, are not fail.test; \
says receiver.test" "the domain explains"
gives 2 softfail softfail.test
is "$explanation" "See http://spf.pobox.com/why.html?sender=a%40softfail.test\
&ip=192.0.2.1&receiver=receiver.test" "the default explanation"
gives 3 neutral neutral.test
gives 4 permerror wrong.test
gives 5 temperror fails.test
gives 6 none nothing.test
gives 6 none single
gives 6 none '[192.0.2.1]'

# Bytes.
run 192.0.2.1 "$(printf 'h\r\nX-Evil: yes')" "$(printf 'a\nb\t@fail.test')"
is "$(wc -l <"$work/out") $explanation" "3 you, h??X-Evil: yes a?b?@fail.test \
of 192.0.2.1, are not fail.test; says receiver.test" "no line ends in a text"
is "$field" 'Received-SPF: fail (receiver.test: SPF record at fail.test does not designate 192.0.2.1 as permitted sender) client-ip=192.0.2.1; helo="h??X-Evil: yes"; envelope-from="a?b?@fail.test"; receiver=receiver.test; identity=mailfrom; mechanism=-all;' \
	"nor in the field"
run 192.0.2.1 h.test a@evil.test
like "$field" 'problem="exists:evil\?\?";' "nor a control byte of the record"
: >"$work/questions"
run 192.0.2.1 h.test "$(printf '\303\244@utf8.test')"
is "$result $(sort "$work/questions")" "pass udp TXT utf8.test" \
	"a local part that is not ASCII is not asked for"
long=$(printf '%0900d' 0)
run 192.0.2.1 "$long$long" "$long@long.test"
is "$code $result" "1 fail" "texts of any length"
is "$(awk 'length > 3000' "$work/out")" "" "are cut in the field"
run 192.0.2.1 h.test "a@$(printf '%0300d' 0).test"
is "$result" none "a domain whose label is too long"
: >"$work/questions"
labels=$(printf '%050d.%050d.%050d.%050d.%049d.' 0 0 0 0 0)
for name in "$labels$labels" "${labels}pass.test"; do
	run 192.0.2.1 h.test "a@$name"
	is "$result" none "a domain that is too long"
	run 192.0.2.1 "$name" ''
	is "$result" none "a HELO that is"
done
is "$(cat "$work/questions")" "" "no part of it is asked for"
SPFRECEIVER='r)(\
r' run 192.0.2.1 h.test a@pass.test
like "$field" '^Received-SPF: pass \(r\\\)\\\(\\\\\?r: SPF .*receiver="r\)\(\\\\\?r";' \
	"a receiver of any name"
run nowhere h.test a@pass.test
like "$code $field" '^4 .*No IP address in conversation\) client-ip=unknown;' \
	"no address"
run ::ffff:192.0.2.1 h.test a@fail.test
like "$field" 'client-ip=192.0.2.1;' "a mapped address is of IPv4"
run 192.0.2.1 pass.test ''
is "$result" pass "a bounce is checked by HELO"
like "$field" 'helo=pass.test; receiver=receiver.test; identity=helo;' \
	"which the field says"
unlike "$field" envelope-from "without a sender"

# Who decided.
# details WANTED NAME ARGUMENT...
details() {
	wanted=$1
	name=$2
	shift 2
	run -d "$@"
	is "$(sed 1,3d "$work/out")" "$wanted" "$name"
}
details 'fail.test mailfrom record' 'a fourth line' 192.0.2.1 h.test a@fail.test
details 'pass.test helo record' 'for a bounce' 192.0.2.1 pass.test ''
details 'nothing.test mailfrom local' 'for local policy' 192.0.2.1 h.test \
	a@nothing.test '' ip4:192.0.2.1
details 'nothing.test mailfrom record' 'that has not decided' 192.0.2.1 h.test \
	a@nothing.test '' ip4:192.0.2.2
details '- mailfrom record' 'without a domain' 192.0.2.1 h.test a@
details 'utf8.test mailfrom record address' 'of one address alone' \
	192.0.2.1 h.test a@utf8.test
details 'moved.test mailfrom record address' 'by the record of a redirect' \
	192.0.2.1 h.test pass@moved.test
details 'utf8.test helo record' 'which a bounce has not' 192.0.2.1 utf8.test ''
details 'a?b?.test helo record' 'it is three words, whatever the domain' \
	192.0.2.1 "$(printf 'a b\n.test')" ''
: >"$work/questions"
details 'fail.test mailfrom local' 'for this host' -l 192.0.2.1 h.test a@fail.test
is "$code $result $field" '0 pass Received-SPF: pass (receiver.test: local policy designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1; helo=h.test; envelope-from="a@fail.test"; receiver=receiver.test; identity=mailfrom; mechanism=default;' \
	'it passes'
is "$(cat "$work/questions")" '' 'without a question'

# Look-ups.
: >"$work/questions"
run 192.0.2.1 h.test a@many.test
is "$(sort "$work/questions" | uniq -c | awk '$1 > 1')" "" \
	"nothing is asked for twice"
unlike "$(cat "$work/questions")" ' AAAA ' "and IPv4 needs no AAAA"
like "$(cat "$work/questions")" ' PTR 1.2.0.192.in-addr.arpa' "there was a PTR"
unlike "$(cat "$work/questions")" ' (A|AAAA) host.test' \
	"whose hosts are of no interest when they are of another domain"
: >"$work/questions"
run 192.0.2.1 h.test a@nullmx.test
is "$result $(cat "$work/questions")" "fail udp TXT nullmx.test
udp MX nullmx.test" "the null MX has no address"
: >"$work/questions"
run 192.0.2.1 h.test a@large.test
is "$result $(grep large "$work/questions")" "pass udp TXT large.test
tcp TXT large.test" "what is too long for UDP comes by TCP"

# What is far away is asked for at once; but not what a name would tell.
: >"$work/questions"
run 192.0.2.1 h.test a@slow.test
is "$result $(sed '/^answer slow[123]/,$d' "$work/questions" | sort | tr '\n' ';')" \
	"pass answer slow.test;udp A slow2.test;udp MX slow3.test;\
udp TXT slow.test;udp TXT slow1.test;" "slow answers: the rest of the record at once"
like "$(tail -n 3 "$work/questions")" ' A a.test' "names with macros in their turn"
unlike "$(cat "$work/questions")" slow4 "nothing is asked that comes behind a match"

# Time.
start=$(date +%s)
run -t 1 192.0.2.1 h.test a@silent.test
took=$(($(date +%s) - start))
is "$code $result" "5 temperror" "silence, for a second"
is "$((took < 4))" 1 "it takes no more than that"
start=$(date +%s)
run 192.0.2.1 h.test a@unexplained.test
took=$(($(date +%s) - start))
is "$code $((took < 8))" "1 1" "5 seconds for an explanation that does not come"

# The client's own name.
# name IP CODE LINES NAME
name() {
	spfcheck -t 2 -r "$1" >"$work/out" 2>&1
	is "$? $(tr '\n' ' ' <"$work/out")" "$2 $3 " "-r: $4"
}
name 192.0.2.1 0 'pass host.test' "a name that leads back"
name 2001:db8::1 0 'pass six.test' "one of IPv6"
name 192.0.2.2 1 'fail ' "one that does not"
name 192.0.2.9 4 'permerror ' "none"
name 192.0.2.3 5 'temperror ' "no answer about names"
name 192.0.2.4 5 'temperror ' "or about the address"
name 192.0.2.5 5 'temperror ' "silence"
name 192.0.2.6 1 'fail ' "a name that no host has"
name nowhere 4 'permerror ' "no address"

# Wrong use.
usage() {
	# shellcheck disable=SC2086 # a list of words
	got=$(spfcheck $1 2>&1)
	like "$? $got" '^100 spfcheck: ' "wrong use: $1"
}
usage ''
usage '192.0.2.1 h.test'
usage '192.0.2.1 h.test a@b.test 1 2 3 4'
usage '-r'
usage '-r 192.0.2.1 h.test'
usage '-t 0 192.0.2.1 h.test a@b.test'
usage '-x'
DNSCACHEIP=nowhere run -t 1 192.0.2.1 h.test a@single
is "$(cat "$work/errors")" \
	'spfcheck: warning: DNSCACHEIP is no list of addresses' \
	"there is a warning for a list that is none"
spfcheck 192.0.2.1 h.test a@pass.test >/dev/full 2>"$work/errors"
is "$? $(cat "$work/errors")" "111 spfcheck: fatal: unable to write output: \
out of disk space" "nobody to write to"
unset SPFRECEIVER
run 192.0.2.1 h.test a@pass.test
like "$field" "receiver=\"?$(uname -n)\"?;" "the machine's name"

done_testing
