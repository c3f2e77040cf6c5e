#!/bin/sh
# rblcheck: what the lists of control/rbllist have of a client, over a real
# rbldnsd, or a server that fails as it is told.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
start_rbldnsd
start_dns_faults
real=127.0.0.1:$lists_port
faults=127.0.0.1:$faults_port
export DNSCACHEIP="$real"
tab=$(printf '\t')

# lists LINE…: control/rbllist
lists() {
	printf '%s\n' "$@" >"$work/rbllist"
}
# check NAME CODE OUTPUT [ARGUMENT…]: of $ip; in the output, '|' is a tab
ip=192.0.2.1
check() {
	check_name=$1
	wanted="$2 $(echo "$3" | tr '|' "$tab")"
	shift 3
	got=$(CONTROLDIR=$work rblcheck "$@" "$ip" 2>&1)
	is "$? $got" "$wanted" "$check_name"
}

check 'no file: there are no lists' 1 ''
lists '' '# all of it a comment' '  '
check 'nor in an empty one' 1 ''
lists 'bl.test reject any See http://bl.test/'
check 'a list has the client' 0 'reject|bl.test|any|127.0.0.2|See http://bl.test/'
ip=192.0.2.2 check 'it has not' 1 ''
ip=2001:db8:1::1 check 'an address of IPv6' 0 \
	'reject|bl.test|any|127.0.0.2|See http://bl.test/'
ip=2001:db8:1::7 check 'one that it has not' 1 ''
ip=::ffff:192.0.2.1 check 'one of IPv4 in IPv6 clothes' 0 \
	'reject|bl.test|any|127.0.0.2|See http://bl.test/'
ip=2001:db8:1::1%eth0 check 'a scope is no part of it' 0 \
	'reject|bl.test|any|127.0.0.2|See http://bl.test/'

lists "$tab second.test  ADDHEADER$tab${tab}Any ${tab}two  words %IP% %s $tab" \
	'bl.test reject any one'
check 'blanks, tabs and case; the message is as it is; the order is the file'\''s' \
	0 "addheader|second.test|any|127.0.0.3|two  words %IP% %s
reject|bl.test|any|127.0.0.2|one"
printf 'bl.test reject any caf\303\251\033[m\r\n' >"$work/rbllist"
check 'a message in other bytes; a CR at the end of the line' 0 \
	'reject|bl.test|any|127.0.0.2|caf???[m'

# --- which answers count
lists 'bl.test reject 127.0.0.2 two' 'bl.test reject 127.0.0.4 four' \
	'several.test addheader 127.0.0.11 eleven' \
	'several.test addheader 127.0.0.12 twelve'
check 'an address: one of the answers is that' 0 \
	"reject|bl.test|127.0.0.2|127.0.0.2|two
addheader|several.test|127.0.0.11|127.0.0.11|eleven"
ip=192.0.2.4 check 'for another client another one' 0 \
	'reject|bl.test|127.0.0.4|127.0.0.4|four'
lists 'bl.test reject any text'
ip=192.0.2.254 check 'a list that does not serve us lists nobody' 1 \
	'rblcheck: bl.test: not listed, in spite of 127.255.255.254' -v
lists 'several.test reject 203.0.113.80 text'
check 'an address outside of 127.0.0.0/8, if it is asked for' 0 \
	'reject|several.test|203.0.113.80|203.0.113.80|text'
lists 'several.test=203.0.113.80 reject any text'
check 'not as a filter' 100 "rblcheck: fatal: $work/rbllist:1: the filter never \
matches: what counts begins with 127"
lists 'several.test=127.0.0.[10..20] reject any text' \
	'several.test=127.0.0.[20..30] reject any text'
check 'a filter' 0 'reject|several.test|any|127.0.0.11|text'
lists 'a.test#mine reject any text'
check 'a name in place of the zone' 0 'reject|mine|any|127.0.0.2|text'
lists 'a.mail.abusix.zone reject any text'
check 'a key in the zone is not shown' 1 \
	'rblcheck: mail.abusix.zone: no answer' -v

# --- lists that fail
lists 'refuse.test reject any text' 'bl.test addheader any text' \
	'empty.test reject any text' 'nowhere.test reject any text'
check 'one that fails changes nothing' 0 'addheader|bl.test|any|127.0.0.2|text'
check 'and is only told of if that is asked for' 0 \
	"rblcheck: refuse.test: no answer
rblcheck: bl.test: listed as 127.0.0.2
rblcheck: empty.test: not listed
rblcheck: nowhere.test: no answer
addheader|bl.test|any|127.0.0.2|text" -v
export DNSCACHEIP="$faults"
lists 'silent.test reject any silent' 'servfail.test reject any broken' \
	'nx.test reject any absent' 'slow.delay200.test reject any slow' \
	'at-once.test reject any here'
timed check 'a silent one is waited for, for -t seconds' 0 \
	"reject|slow.delay200.test|any|127.0.0.2|slow
reject|at-once.test|any|127.0.0.2|here" -t 1
is_at_least 900 'no less'
is_at_most 3000 'and no more'
lists 'a.hold3.test reject any a' 'b.hold3.test reject any b' \
	'c.hold3.test reject any c'
check 'all are asked at once' 0 "reject|a.hold3.test|any|127.0.0.2|a
reject|b.hold3.test|any|127.0.0.2|b
reject|c.hold3.test|any|127.0.0.2|c"
forget_questions
lists 'x.test reject 127.0.0.2 two' 'X.test reject 127.0.0.4 four'
check 'one zone in two lines' 0 'reject|x.test|127.0.0.2|127.0.0.2|two'
is "$(grep -v answered "$work/questions")" 'udp A 1.2.0.192.x.test.' \
	'is asked once'
export DNSCACHEIP="$real"

# --- the file
# mistake LINE TEXT: it is not taken, and TEXT is said of it
mistake() {
	lists '# a comment' "$1"
	check "a mistake: $1" 100 "rblcheck: fatal: $work/rbllist:2: $2"
}
mistake 'bl.test block any text' \
	'the second word is neither reject nor addheader'
mistake 'bl.test' 'the second word is neither reject nor addheader'
mistake 'bl.test reject' 'the third word is neither any nor an address'
mistake 'bl.test reject all text' 'the third word is neither any nor an address'
mistake 'bl.test reject any' 'there is no message'
mistake 'bl!test reject any text' 'there is something behind the zone that is none of #name =filter *weight :message'
mistake '-bl.test:x*2 reject any text' 'a list has no weight here, and its message is the fourth word'
mistake "bl.test reject any $(printf '%0301d' 0)" \
	'the message is longer than 300 bytes'
lists "bl.test reject any $(printf '%0300d' 0)"
check 'a message of 300 bytes' 0 \
	"reject|bl.test|any|127.0.0.2|$(printf '%0300d' 0)"
seq 64 | sed 's/.*/bl.test reject any &/' >"$work/rbllist"
is "$(CONTROLDIR=$work rblcheck $ip | tail -n 1)" \
	"$(echo 'reject|bl.test|any|127.0.0.2|64' | tr '|' "$tab")" '64 lists'
echo 'bl.test reject any text' >>"$work/rbllist"
check '65 lists' 100 \
	"rblcheck: fatal: $work/rbllist:65: there are too many lists"
printf 'bl.test reject\0 any text\n' >"$work/rbllist"
check 'a NUL' 100 "rblcheck: fatal: $work/rbllist: it has a NUL byte"
yes '# a long file' | head -c 300000 >"$work/rbllist"
check 'a file too long' 111 \
	"rblcheck: fatal: unable to read $work/rbllist: File too large"
rm "$work/rbllist"
mkdir "$work/rbllist"
check 'a folder' 111 \
	"rblcheck: fatal: unable to read $work/rbllist: is a directory"
echo 'bl.test reject any of another file' >"$work/other"
check 'another file' 0 'reject|bl.test|any|127.0.0.2|of another file' \
	-f "$work/other"
check 'that is not there' 111 "rblcheck: fatal: unable to read $work/absent: \
file does not exist" -f "$work/absent"

# --- the rest
usage() {
	# shellcheck disable=SC2086 # a list of words
	got=$(rblcheck $1 2>&1)
	like "$? $got" "^100 rblcheck: $2" "wrong use: $1"
}
usage '' usage
usage '192.0.2.1 192.0.2.2' usage
usage '-t 0 192.0.2.1' ''
usage '-x 192.0.2.1' 'illegal option'
usage 192.0.2.256 'fatal: 192.0.2.256 is no IP address'
usage unknown 'fatal: unknown is no IP address'
is "$(DNSCACHEIP=nowhere rblcheck -t 1 -f "$work/other" $ip 2>&1 |
	head -n 1)" 'rblcheck: warning: DNSCACHEIP is no list of addresses' \
	'servers that are none'
rblcheck -f "$work/other" $ip >/dev/full 2>"$work/errors"
is "$? $(cat "$work/errors")" "111 rblcheck: fatal: unable to write output: \
out of disk space" 'nobody to write to'
done_testing
