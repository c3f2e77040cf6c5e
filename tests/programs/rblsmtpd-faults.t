#!/bin/sh
# rblsmtpd and lists that fail, in every way that tests/dns-faults knows: what
# becomes of the client, without -c and with it, for each kind of list; and that
# it asks for everything at once, waits for nothing that cannot change the
# verdict, and never longer than it was told.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"

start_dns_faults
DNSCACHEIP=127.0.0.1:$faults_port
TCPREMOTEIP=192.0.2.1
export DNSCACHEIP TCPREMOTEIP

# answer ARGUMENT…: what the client is told, or "run"
answer() {
	rblsmtpd -t 0 "$@" echo run </dev/null 2>>"$work/log" | tr -d '\r'
}
temporary='451 temporary RBL lookup error'

# --- every fault, for every kind of list

# outcome LABEL NUMBER ARGUMENT…: what becomes of the client; Z is the list
outcome() {
	# A name for each, since some faults count.
	zone=$1.kind$2.test
	shift 2
	# shellcheck disable=SC2046 # words
	answer $(echo "$*" | sed "s/Z/$zone/") |
		sed -e "s/^$temporary\$/failed/" -e 's/^451 //'
}
# begin LABEL OPTION…: the same of every kind of list, in files; with the options
begin() {
	label=$1
	shift
	n=0
	for kind in '-r Z' '-c -r Z' '-a Z -r x.test' '-c -a Z -r x.test' \
		'-r Z:m' '-c -r Z:m'; do
		n=$((n + 1))
		outcome "$label" $n "$@" "$kind" >"$work/outcome.$label.$n" &
		pids="$pids $!"
	done
}
# LABEL, then for `-r`, `-c -r`, `-a`, `-c -a` (x.test behind these lists
# everybody) and `-r` with a message, m, without and with -c: let in, failed, or
# the text
cat >"$work/table" <<'END'
silent      run failed  run listed     run failed
garbage     run failed  run listed     run failed
short       run failed  run listed     run failed
wrongid     run failed  run listed     run failed
wrongq      run failed  run listed     run failed
elsewhere   run failed  run listed     run failed
noquestion  run failed  run listed     run failed
tcsilent    run failed  run listed     run failed
asilent     run failed  run listed     run failed
txtsilent   run failed  run run        m m
servfail    run failed  run listed     run failed
refused     run failed  run listed     run failed
formerr     run failed  run listed     run failed
notimp      run failed  run listed     run failed
tcdead      run failed  run listed     run failed
loopptr     run failed  run listed     run failed
badtext     run failed  run run        m m
afails      run failed  run listed     run failed
txtfails    run failed  run run        m m
drop1       listed listed  run run     m m
delay50     listed listed  run run     m m
hold1       listed listed  run run     m m
noedns      listed listed  run run     m m
spoofid     listed listed  run run     m m
tc          listed listed  run run     m m
cname3      listed listed  run run     m m
mixed       mixed mixed  run run       m m
nx          run run  listed listed     run run
delaynx50   run run  listed listed     run run
nxbare      run run  listed listed     run run
nodata      run run  listed listed     run run
lame        run run  listed listed     run run
cnameloop   run run  listed listed     run run
txtonly     listed listed  listed listed  run run
aonly       run run  run run           m m
many100     run run  run run           m m
limit       limit limit  listed listed m m
blocked     run run  listed listed     run run
hijack      run run  listed listed     run run
parked      run run  listed listed     run run
END
# Those that nothing usable comes from take their time: none waits for another.
is_slow() {
	case $1 in
	*silent | garbage | short | wrongid | wrongq | elsewhere | noquestion) ;;
	*) return 1 ;;
	esac
}
pids=
while read -r label wanted; do
	if is_slow "$label"; then begin "$label" -d 1; fi
done <"$work/table"
slow=$pids
while read -r label wanted; do
	pids=
	is_slow "$label" || begin "$label" -d 20
	for pid in $pids; do wait "$pid"; done
done <"$work/table"
for pid in $slow; do wait "$pid"; done
while read -r label wanted; do
	is "$(cat "$work/outcome.$label".? | paste -s -d ' ')" \
		"$(echo "$wanted" | tr -s ' ')" "$label"
done <"$work/table"

is "$(answer -r strings.test)" '451 one twothree' \
	'the strings of all texts, joined'
is "$(answer -r control.test)" '451 a?b??????%s\~.' 'no byte of a text is raw'
text=$(printf '%0200d' 0 | sed 's/0000000000/0123456789/g')
for label in long200 long201 long3000 long60000; do
	is "$(answer -r $label.test)" "451 $text" "$label: 200 bytes of it"
done

# Each function of dns-faults is above, or what it does to MX records in mxcheck.t.
for fault in $(sed -n '/^class FAULTS/,/^def /s/^    \(async \)*def \([a-z]*\).*/\2/p' \
	"$(command -v dns-faults)"); do
	grep -Eq "(^|-r |label in |mxcheck )${fault}[0-9. ]" "$work/table" "$0" \
		"$tests/programs/mxcheck.t" ||
		not_ok "the fault $fault is looked at"
done

# --- what is logged of answers that are none

for case in blocked=127.255.255.254 hijack=203.0.113.80 parked=203.0.113.80; do
	list=${case%=*}.test
	: >"$work/log"
	is "$(answer -r "$list:m")" run "${case%=*}, a list with a message"
	is "$(cat "$work/log")" \
		"rblsmtpd: warning: $list: answer ${case#*=} is no listing: not counted" \
		'is told once'
done
: >"$work/log"
is "$(answer -r mixed.test:m)" '451 m' 'one of several addresses counts'
unlike "$(cat "$work/log")" warning 'nothing is wrong then'

# --- at once

forget_questions
five=
for i in 1 2 3 4 5; do five="$five -r z$i.hold10.test"; done
# shellcheck disable=SC2086 # words
is "$(answer $five)" '451 listed' \
	'five lists, none of which answers before all ten questions have come'
is "$(head -n 10 "$work/questions" | grep -c ' answered$')" 0 \
	'that is the order of the log'
is "$(grep -vc ' answered$' "$work/questions")" 10 'each is asked once'
is "$(grep -v ' answered$' "$work/questions" | sort -u | wc -l)" 10 \
	'and is another one'
forget_questions
is "$(answer -r z1.hold5.test:m -r 'z2.hold5.test=127.0.0.2:n' \
	-r z3.hold5.test:o -a 'z4.hold5.test*2' -a z5.hold5.test)" '451 m' \
	'lists of addresses are asked at once too'
is "$(grep -c '^udp A .*test\.$' "$work/questions")" 5 \
	'for their addresses alone'
# Who is not listed costs one question a list, unless the server is slow; so this
# machine may need more than one try.
costs() {
	forget_questions
	answer -r z1.nx.test -r z2.nodata.test -r 'z3.nx.test*2' >"$work/out"
	[ "$(grep -vc ' answered$' "$work/questions")" -eq 3 ]
}
wait_until costs
is "$(cut -d ' ' -f 2 "$work/questions" | uniq -c | tr -s ' ')" ' 4 TXT
 2 A' 'who is not listed costs one question a list'
forget_questions
TCPREMOTEIP=2001:db8::1 answer -r x.test >"$work/out"
like "$(cat "$work/questions")" \
	'^udp TXT 1(\.0){23}\.8\.b\.d\.0\.1\.0\.0\.2\.x\.test\.$' 'IPv6, by nibbles'
name='five lists: one socket'
if can_trace "$name" && is_plain "$name"; then
	# shellcheck disable=SC2086 # words
	strace -f -e trace=socket -o "$work/trace" \
		rblsmtpd -t 0 $five echo run </dev/null >"$work/out" 2>&1
	is "$(grep -c 'SOCK_DGRAM' "$work/trace")" 1 "$name"
	is "$(grep -c 'SOCK_STREAM' "$work/trace")" 0 'and none of TCP'
fi

# --- in order

is "$(answer -r delay100.test:first -r x.test:second)" '451 first' \
	'a slow list comes first when it stands first'
is "$(answer -r delay200.test:first -r delay50.test:second -r x.test:third)" \
	'451 first' 'of slow ones too'
is "$(answer -a delay100.test -r x.test)" run 'a slow friend speaks first'
is "$(answer -r delay100.test -a x.test)" '451 listed' 'a slow enemy too'
is "$(answer -r nx.test -b -r delay50.test:second -r x.test)" '553 second' \
	'-b is that of the list'

# --- each for itself

# A list that fails takes no other one with it, whatever it does.
pids=
while read -r label wanted; do
	answer -d 5 -r "delay200.$label.beside.test:m" \
		-r "$label.beside.test" >"$work/beside.$label" &
	pids="$pids $!"
done <"$work/table"
for pid in $pids; do wait "$pid"; done
for file in "$work"/beside.*; do
	[ "$(cat "$file")" = '451 m' ] ||
		not_ok "a list beside ${file##*.} is heard" "$(cat "$file")"
done
ok 'a list beside one that fails is heard'
# shellcheck disable=SC2046 # words
is "$(answer $(for i in 1 2 3 4 5; do echo "-r z$i.noedns.test*1"; done) -s 5 \
	-d 2)" '451 listed' 'five lists of a server without EDNS'
# shellcheck disable=SC2046 # words
is "$(answer $(for i in 1 2 3 4 5; do echo "-r z$i.tc.test*1"; done) -s 5 \
	-d 2)" '451 listed' 'five truncated answers'

# --- no longer than it takes

# Longer than any test may take.
is "$(answer -d 300 -r x.test -r silent.test -c -r silent2.test)" '451 listed' \
	'what stands behind the verdict is not waited for'
is "$(answer -d 300 -a x.test -r silent.test)" run 'nor behind a friend'
is "$(answer -d 300 -r delay100.test -r servfail.test -r silent.test)" \
	'451 listed' 'nor what fails'

# later NAME WANTED SECONDS ARGUMENT…: it is answered within that time; all of
# these wait together, and `settle` tells how they ended.
waits=0
later() {
	waits=$((waits + 1))
	{
		echo "$1"
		echo "$2"
		shift 2
		within "$@"
	} >"$work/wait.$waits" &
	eval "wait_$waits=$!"
}
within() {
	seconds=$1
	shift
	timeout "$seconds" rblsmtpd -t 0 "$@" echo run </dev/null 2>>"$work/log" |
		tr -d '\r'
}
settle() {
	for i in $(seq $waits); do
		eval "wait \"\$wait_$i\""
		is "$(sed -n 3p "$work/wait.$i")" "$(sed -n 2p "$work/wait.$i")" \
			"$(sed -n 1p "$work/wait.$i")"
	done
}
dead='-r silent1.test -r silent2.test -r silent3.test -r silent4.test'
# shellcheck disable=SC2086 # words
{
	later 'without -d there is a deadline as well' run 15 $dead
	later 'five dead lists cost one deadline, and nobody is refused' run \
		4 -d 1 $dead -r silent.test
	later 'a list behind them lists' '451 listed' 4 -d 1 $dead -r x.test
	later 'though for a while only, whatever -b says' '451 listed' \
		4 -d 1 -b $dead -r x.test
	later 'a friend behind them is heard' run 4 -d 1 $dead -a x.test -r x.test
	later '-c is for what stands behind it' run 4 -d 1 $dead -c -r nx.test
	later '-c: refused' "$temporary" 4 -d 1 -c $dead -r nx.test
	later '-c: not for good' "$temporary" 4 -d 1 -b -c $dead -r nx.test
	later '-c: before a friend is heard' "$temporary" \
		4 -d 1 -c -r nx.test $dead -a x.test
}
later 'an answer that comes too late' run 4 -d 1 -r delay3000.test
later 'a silent connection' '451 second' \
	4 -d 1 -r tcsilent.test -r x.test:second

# --- the servers

start_silent_dns
closed=$(free_port)
DNSCACHEIP=127.0.0.1:$silent_port,127.0.0.1:$faults_port
later 'the second server, when one is dead' '451 listed' 15 -d 10 -r x.test
DNSCACHEIP=127.0.0.1:$closed,127.0.0.1:$faults_port
later 'the second server, when one is gone' '451 listed' 15 -d 10 -r x.test
DNSCACHEIP=127.0.0.1:$closed
later 'no server: let in' run 15 -d 10 -r x.test
later 'no server, -c: refused' "$temporary" 15 -d 10 -c -r x.test
settle
done_testing
