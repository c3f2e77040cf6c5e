#!/bin/sh
# The drop-in promise for rblsmtpd, side by side: Debian's, the one of its IPv6
# variant and ours hold the same conversation, write the same log, end with the
# same code and leave the same environment, over a real rbldnsd, a real nsd, and
# over servers that fail. Where ours is meant to differ, both are told.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
plain=/usr/bin
ipv6=$top/build/deps/peers/ucspi-tcp-ipv6/usr/bin
need "$bin/rblsmtpd" "$plain/rblsmtpd" "$ipv6/rblsmtpd" "$BUILD/port53.so"

nsd_lists() {
	# Larger than a UDP packet: the answer is truncated.
	zone large.test <<-END
		1.2.0.192 A 127.0.0.2
		1.2.0.192 TXT $(for i in 1 2 3 4 5 6 7; do
			printf ' "%0250d"' "$i"
		done)
	END
	# A list whose records are aliases: RFC 2317's way.
	zone alias.test <<-'END'
		1.2.0.192 CNAME one.part
		one.part A 127.0.0.2
		one.part TXT "by an alias"
		3.2.0.192 CNAME nowhere
		4.2.0.192 CNAME loop
		loop CNAME loop
	END
}
start_rbldnsd
start_dns nsd_lists
start_dns_faults

# What the client sends, if a case says nothing else, and the program behind.
TCPREMOTEIP=192.0.2.1
export TCPREMOTEIP
printf 'EHLO client\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nQUIT\r\n' \
	>"$work/greeting"
client=$work/greeting
cat >"$work/program" <<'END'
#!/bin/sh
echo "run $*"
env | grep -v '^\(LD_PRELOAD\|TEST_.*\|DNSCACHEIP\|PATH\|PWD\|_\)=' | sort
END
chmod 755 "$work/program"
# Nobody waits here for Debian's to give a server up: its clock is fast. Ours
# has an option.
mkdir "$work/hurried"
cat >"$work/hurried/rblsmtpd" <<END
#!/bin/sh
exec "$bin/rblsmtpd" -d 6 "\$@"
END
chmod 755 "$work/hurried/rblsmtpd"

# run FOLDER [-u NAME] [NAME=VALUE…] rblsmtpd ARGUMENT…: the one of the folder,
# asking the server at $dns; all that can be seen of it is standard output.
run() {
	(
		PATH=$1:$work:$PATH
		case $1 in
		"$plain" | "$ipv6")
			DNSCACHEIP=127.0.0.1
			TEST_DNS_PORT=$dns
			TEST_CLOCK_SPEED=20
			LD_PRELOAD=$BUILD/port53.so
			export TEST_DNS_PORT TEST_CLOCK_SPEED LD_PRELOAD
			;;
		*) DNSCACHEIP=127.0.0.1:$dns ;;
		esac
		export DNSCACHEIP
		shift
		log=$(mktemp "$work/log.XXXXXX")
		env "$@" <>"$client" 2>"$log"
		echo "exit $?"
		sed 's/ pid [0-9]*:/ pid PID:/' "$log"
	)
}
# same NAME ARGUMENT…: they are the same
same() {
	name=$1
	shift
	run "$bin" "$@" >"$work/ours"
	run "$plain" "$@" >"$work/theirs"
	same_file "$work/ours" "$work/theirs" "$name"
	run "$ipv6" "$@" >"$work/theirs"
	same_file "$work/ours" "$work/theirs" "$name (IPv6 variant)"
}
# slow NAME ARGUMENT…: the same at leisure; `settle` tells the results
slow_cases=0
slow() {
	slow_cases=$((slow_cases + 1))
	slow=$work/slow.$slow_cases
	echo "$1" >"$slow.name"
	shift
	run "$work/hurried" "$@" >"$slow.ours" &
	slow_pids="$slow_pids $!"
	run "$plain" "$@" >"$slow.theirs" &
	slow_pids="$slow_pids $!"
	run "$ipv6" "$@" >"$slow.variant" &
	slow_pids="$slow_pids $!"
}
slow_pids=
settle() {
	for pid in $slow_pids; do wait "$pid"; done
	for i in $(seq "$slow_cases"); do
		slow=$work/slow.$i
		same_file "$slow.ours" "$slow.theirs" "$(cat "$slow.name")"
		same_file "$slow.ours" "$slow.variant" \
			"$(cat "$slow.name") (IPv6 variant)"
	done
	slow_cases=0 slow_pids=
}
# shown FOLDER NAME LINE ARGUMENT…: a line that is there
shown() {
	folder=$1 name=$2 line=$3
	shift 3
	like "$(run "$folder" "$@" | tr -d '\r')" "$line" "$name"
}
# differ NAME OURS THEIRS ARGUMENT…: lines that are there
differ() {
	case=$1 ours=$2 theirs=$3
	shift 3
	shown "$bin" "$case: ours" "$ours" "$@"
	shown "$plain" "$case: Debian's" "$theirs" "$@"
	shown "$ipv6" "$case: the IPv6 variant" "$theirs" "$@"
}
# from ADDRESS COMMAND…: the command, for another client
from() {
	TCPREMOTEIP=$1
	shift
	"$@"
	TCPREMOTEIP=192.0.2.1
}

# --- servers that fail; the results are told last

dns=$faults_port
for fault in silent garbage short wrongid wrongq noquestion; do
	slow "$fault: let in" rblsmtpd -r $fault.test program
	slow "$fault, -c: refused" rblsmtpd -c -r $fault.test program
done
for fault in servfail refused formerr notimp tcdead; do
	slow "$fault: let in" rblsmtpd -r $fault.test program
	slow "$fault, -c: refused" rblsmtpd -c -r $fault.test program
	slow "$fault, -b -c: 451 all the same" \
		rblsmtpd -b -c -r $fault.test program
	slow "$fault, -C after -c" rblsmtpd -c -C -r $fault.test program
	slow "$fault, -a: accepted" rblsmtpd -a $fault.test -r x.test program
	slow "$fault, -c -a: undecided, then not listed" \
		rblsmtpd -c -a $fault.test -r nx.test program
	slow "$fault, -c -a: undecided, then listed, 451 in spite of -b" \
		rblsmtpd -c -a $fault.test -b -r x.test program
	slow "$fault, then another list: 451 in spite of -b" \
		rblsmtpd -b -r $fault.test -r x.test program
	slow "$fault, after a list that has decided" \
		rblsmtpd -b -r x.test -c -r $fault.test program
done
slow 'the first question is lost' rblsmtpd -r drop1.lost.test program
dns=$lists_port
slow 'rbldnsd refuses' rblsmtpd -r refuse.test program
slow 'rbldnsd refuses, -c' rblsmtpd -c -r refuse.test program
slow 'it does not know the zone' rblsmtpd -c -r foreign.example program
dns=$dns_port
slow 'nsd fails' rblsmtpd -r broken.test program
slow 'nsd fails, -c' rblsmtpd -c -r broken.test program
slow 'nsd does not know the zone' rblsmtpd -c -r foreign.example program
slow 'a circle of aliases' rblsmtpd -r alias.test program

# --- listed or not

dns=$lists_port
same 'listed' rblsmtpd -r bl.test program
from 192.0.2.2 same 'not listed' rblsmtpd -r bl.test program with arguments
same 'no list' rblsmtpd program
from 192.0.2.3 same 'by the second list' \
	rblsmtpd -r bl.test -r second.test program
same 'by both lists: the first says why' \
	rblsmtpd -r bl.test -r second.test program
same 'the other way round' rblsmtpd -r second.test -r bl.test program
from 192.0.2.4 same 'an entry with a text of its own' \
	rblsmtpd -r bl.test program
from 192.0.2.10 same 'an address without a text' rblsmtpd -r bl.test program
from 198.51.100.6 same 'a network' rblsmtpd -r bl.test program
from 198.51.100.7 same 'an exception' rblsmtpd -r bl.test program
from 203.0.113.15 same 'a range' rblsmtpd -r bl.test program
same 'a list of addresses alone' rblsmtpd -r a.test program
from 192.0.2.5 same 'a text alone' rblsmtpd -r several.test program
same 'several addresses' rblsmtpd -r several.test program
same 'an empty list' rblsmtpd -r empty.test program
same 'a zone in capitals, and with a last dot' rblsmtpd -r BL.Test. program

# --- -a

from 192.0.2.200 same '-a accepts' rblsmtpd -a wl.test -r bl.test program
same '-a does not know the client' rblsmtpd -a wl.test -r bl.test program
from 192.0.2.200 same '-a alone' rblsmtpd -a wl.test program
same '-a alone, not known' rblsmtpd -a wl.test program
from 127.0.0.2 same 'accepted before it is listed' \
	rblsmtpd -a wl.test -r bl.test program
from 127.0.0.2 same 'listed before it is accepted' \
	rblsmtpd -r bl.test -a wl.test program
from 192.0.2.200 same 'not listed, then accepted' \
	rblsmtpd -r bl.test -a wl.test -r second.test program
same '-a by one address of several' rblsmtpd -a several.test -r bl.test program
same '-a by an address without a text' rblsmtpd -a a.test -r bl.test program

# --- -b, -B, -c, -C: what stands before a list counts for it

same '-b' rblsmtpd -b -r bl.test program
same '-b -B' rblsmtpd -b -B -r bl.test program
same '-B -b' rblsmtpd -Bb -r bl.test program
same '-b is too late' rblsmtpd -r bl.test -b program
same '-b for the second list' rblsmtpd -r bl.test -b -r second.test program
from 192.0.2.3 same '-b for the second list, which lists' \
	rblsmtpd -r bl.test -b -r second.test program
from 192.0.2.3 same '-b for the first list' \
	rblsmtpd -b -r bl.test -B -r second.test program
same '-c changes nothing for who answers' rblsmtpd -c -r bl.test program
same '-b -c' rblsmtpd -bc -r bl.test program
from 192.0.2.2 same '-c, not listed' rblsmtpd -c -r bl.test program
same 'options in one word' rblsmtpd -bct0 -rbl.test program
same 'where the options end' rblsmtpd -r bl.test -- program -b
from 192.0.2.2 same 'options of the program' rblsmtpd -r bl.test program -b -r x

# --- -t

same '-t 0' rblsmtpd -t 0 -r bl.test program
same '-t0 and -b, at the end' rblsmtpd -b -r bl.test -t0 program
from 192.0.2.2 same '-t 0, not listed' rblsmtpd -t 0 -r bl.test program
same '-t 0 and RBLSMTPD' RBLSMTPD=-no rblsmtpd -t 0 program
same '-t 5' rblsmtpd -t 5 -r bl.test program
mkfifo "$work/open"
client=$work/open
slow '-t 1: the client says nothing' rblsmtpd -t 1 -r bl.test program
client=$work/greeting

# --- $RBLSMTPD

long=$(printf '%0100d' 1)$(printf '%0100d' 2)
same 'RBLSMTPD is empty' RBLSMTPD= rblsmtpd -r bl.test program
for options in '' '-b' '-c' '-B -r bl.test' '-b -r bl.test' '-a bl.test'; do
	# shellcheck disable=SC2086 # words
	for value in 'Blocked by policy' -no '' - -- ' ' ' -x' + \
		"$long" "-$long" "${long}3" "-${long}3" "-$long$long"; do
		same "RBLSMTPD=$value, $options" \
			RBLSMTPD="$value" rblsmtpd $options program
	done
done
same 'control bytes in RBLSMTPD' \
	RBLSMTPD="$(printf 'a\001\r\nb\t\177\200\377c')" rblsmtpd program
same 'a line end at the end of RBLSMTPD' RBLSMTPD='-no
' rblsmtpd program
same 'RBLSMTPD with percent signs' RBLSMTPD='%s %d % %%' rblsmtpd program
differ '%IP% in RBLSMTPD' '^451 by 192\.0\.2\.1, 192\.0\.2\.1$' \
	'^451 by %IP%, %IP%$' RBLSMTPD='by %IP%, %IP%' rblsmtpd program

# --- the client's address

same 'TCPREMOTEIP is not set, RBLSMTPD is' \
	-u TCPREMOTEIP RBLSMTPD=x rblsmtpd program
same 'TCPREMOTEIP is not set, no list' -u TCPREMOTEIP rblsmtpd program
from '' same 'TCPREMOTEIP is empty' RBLSMTPD=x rblsmtpd program

# --- answers

dns=$faults_port
for fault in nx nxbare nodata lame cnameloop aonly hijack; do
	same "$fault: let in" rblsmtpd -c -r $fault.test program
done
for fault in nx nxbare nodata lame cnameloop txtonly; do
	same "$fault, -a" rblsmtpd -a $fault.test -r x.test program
done
for fault in cname3 delay50 spoofid txtonly strings control mixed tc \
	long199 long200 long201 long300 long3000; do
	same "$fault: listed" rblsmtpd -b -r $fault.test program
done
for fault in cname3 delay50 tc aonly many200 txtfails; do
	same "$fault, -a: accepted" rblsmtpd -a $fault.test -r x.test program
done
dns=$dns_port
same 'truncated, by nsd' rblsmtpd -r large.test program
same 'an alias, by nsd' rblsmtpd -r alias.test program
from 192.0.2.3 same 'an alias of nothing' rblsmtpd -r alias.test program
from 192.0.2.2 same 'not listed, by nsd' rblsmtpd -c -r large.test program

# --- the conversation

dns=$lists_port
# said NAME TEXT: printf's form of what the client sends
said() {
	# shellcheck disable=SC2059 # it is a format
	printf "$2" >"$work/said"
	client=$work/said
	same "$1" RBLSMTPD=no rblsmtpd program
	same "$1, 553" RBLSMTPD=-no rblsmtpd program
	client=$work/greeting
}
said 'nothing' ''
said 'every command' "$(printf '%s x\\r\\n' HELO EHLO MAIL RCPT DATA RSET NOOP \
	VRFY EXPN HELP STARTTLS AUTH BDAT XCLIENT QUIT)"
said 'every command, in small letters, alone' "$(printf '%s\\r\\n' helo ehlo mail \
	rcpt data rset noop vrfy expn help starttls auth bdat xclient quit)"
said 'mixed letters' 'hElO\r\neHlo x\r\nMaIl\r\nNooP\r\nrSeT\r\nqUiT now\r\n'
said 'bare line feeds' 'EHLO x\nMAIL FROM:<>\nRCPT TO:<x>\nQUIT\n'
said 'no QUIT' 'EHLO x\r\nNOOP\r\n'
said 'half a command at the end' 'NOOP\r\nQUI'
said 'a whole one without its line end' 'NOOP\r\nQUIT'
said 'empty lines' '\r\n\n\r\nNOOP\r\nQUIT\r\n'
said 'blanks' ' NOOP\r\nNOOP \r\n \r\nNOOP  x\r\n\tNOOP\r\nNOOP\tx\r\nQUIT \r\n'
said 'parts of words' 'NOO\r\nNOOPS\r\nMAI\r\nMAILFROM:<>\r\nQUITS\r\nQUIT\r\n'
said 'colons' 'MAIL:\r\nNOOP:x\r\nQUIT:\r\nQUIT\r\n'
said 'carriage returns' 'NOOP\r\r\nNO\rOP\r\nNOOP x\ry\r\nQUIT\r\n'
said 'NULs' 'NOOP\0\r\nNO\0OP\r\nNOOP x\0y\r\nQUIT\0x\r\nQUIT\r\n'
said 'bytes above 127' 'NOOP\344\r\n\377\376\r\nNOOP \344\r\nQUIT\r\n'
said 'a long line' "NOOP $(printf '%020000d' 0)\\r\\nX$(printf '%020000d' 0)\\r\\n
QUIT\\r\\n"
said 'a message nobody asked for' \
	'DATA\r\nSubject: x\r\n\r\nMAIL order\r\n.\r\nQUIT\r\n'
said 'commands behind QUIT' 'QUIT\r\nNOOP\r\n'

# --- wrong use

for options in '' -r '-x program' '-r bl.test' -t '-t 5'; do
	# shellcheck disable=SC2086 # words
	differ "rblsmtpd $options" '^rblsmtpd: usage: rblsmtpd \[' \
		'^rblsmtpd: usage: rblsmtpd \[' rblsmtpd $options
	# shellcheck disable=SC2086 # words
	differ "rblsmtpd $options: its code" '^exit 100$' '^exit 100$' \
		rblsmtpd $options
done
differ 'no such program' '^rblsmtpd: fatal: unable to run /no/such: ' \
	'^rblsmtpd: fatal: unable to run /no/such: ' rblsmtpd /no/such
differ 'no such program: its code' '^exit 111$' '^exit 111$' \
	rblsmtpd /no/such

# --- where ours is meant to differ

differ 'a blocked resolver rejects nobody' '^run $' \
	'^451 Error: open resolver$' rblsmtpd -r blocked.test program
differ 'and that is logged' \
	'^rblsmtpd: warning: blocked.test: .*127\.255\.255\.254' \
	'^rblsmtpd: 192.0.2.1 pid PID: 451 Error' \
	rblsmtpd -r blocked.test program
from 192.0.2.254 differ 'the same of one address' '^run $' \
	'^451 Error: open resolver; https://bl.test/$' \
	rblsmtpd -r bl.test program
differ 'a list with a message asks for addresses' \
	'^451 Listed, 192\.0\.2\.1, see http://x/\?192\.0\.2\.1$' '^run $' \
	rblsmtpd -r 'a.test:Listed, %IP%, see http://x/?%IP%' program
differ 'with a message, -b' '^553 no$' '^run $' rblsmtpd -b -r a.test:no program
differ 'with a message, not listed' '^run $' '^run $' \
	rblsmtpd -r wl.test:no program
from 192.0.2.4 differ 'a list of friends says that it was asked too often' \
	'^451 Exploited host 192\.0\.2\.4$' '^run $' \
	rblsmtpd -a dnswl.test -r bl.test program

from 2001:db8:1::9 differ 'a client of IPv6' \
	'^451 Listed, see http://bl.test/\?2001:db8:1::9$' '^run $' \
	PROTO=TCP6 rblsmtpd -r bl.test program
from 2001:db8:1::7 differ 'another one' '^run $' '^run $' \
	rblsmtpd -c -r bl.test program
from 192.0.2.2 differ 'PROTO=TCP6: TCP6REMOTEIP' '^451 Exploited host' '^run $' \
	PROTO=TCP6 TCP6REMOTEIP=2001:db8:2::25 rblsmtpd -r bl.test program
from ::ffff:192.0.2.1 differ 'an IPv4 client of an IPv6 server' \
	'^451 Listed, see http://bl.test/\?192\.0\.2\.1$' '^run $' \
	rblsmtpd -r bl.test program
from 2001:db8:1::200 differ 'a friend by IPv6' '^run $' '^run $' \
	rblsmtpd -a wl.test -r bl.test program

# Theirs asks for the list itself then, or for what TCPREMOTEIP may be.
dns=$faults_port
differ 'TCPREMOTEIP is not set: nothing to ask for' '^run $' '^451 listed$' \
	-u TCPREMOTEIP rblsmtpd -r x.test program
differ 'TCPREMOTEIP is not set, -c' '^451 temporary RBL lookup error$' \
	'^run $' -u TCPREMOTEIP rblsmtpd -c -r nx.test program
from 1.2 differ 'TCPREMOTEIP is no address' '^run $' '^451 listed$' \
	rblsmtpd -r x.test program
differ 'a dead list, with a text for every name' '^run $' \
	'^451 v=spf1 -all$' rblsmtpd -r parked.test program
differ 'a dead list whose web server is everybody'"'"'s friend' \
	'^451 listed$' '^run $' rblsmtpd -a hijack.test -r x.test program
differ 'record data that is broken' '^run $' '^451 \?\?\?\?\?\?$' \
	rblsmtpd -r loopptr.test program
differ 'record data that is broken, -c' \
	'^451 temporary RBL lookup error$' '^451 \?\?\?\?\?\?$' \
	rblsmtpd -c -r loopptr.test program
differ 'a text that is longer than its record' '^run $' '^451 listed$' \
	rblsmtpd -r badtext.test program
shown "$work/hurried" 'a text, and no answer about the address: ours' \
	'^run $' rblsmtpd -r afails.test program
shown "$work/hurried" 'and with -c' '^451 temporary RBL lookup error$' \
	rblsmtpd -c -r afails.test program
shown "$plain" "Debian's does not ask about the address" '^451 listed$' \
	rblsmtpd -r afails.test program
settle

# --- any options and lists in any order, of which some fail; what was drawn is
# in the names

perl -e 'srand 6;
	sub one_of { $_[rand @_] }
	sub list {
		one_of("-r ", "-r ", "-a ") . one_of(qw(x mixed long200 delay20
			txtonly aonly nx nodata servfail refused)) . ".test"
	}
	for (1 .. 60) {
		print join(" ", map { one_of("-" . one_of(qw(b b B c C)), list(),
			list()) } 1 .. 3 + rand 6), "\n";
	}' >"$work/drawn"
while read -r options; do
	# shellcheck disable=SC2086 # words
	slow "$options" rblsmtpd $options program
	[ "$slow_cases" -lt 10 ] || settle
done <"$work/drawn"
settle
done_testing
