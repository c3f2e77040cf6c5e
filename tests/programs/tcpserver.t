#!/bin/sh
# tcpserver with real clients: its log, the environment, rules, limits, signals
# and what happens when something runs out.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016,SC2317 # the programs' shells expand; called by name
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../tcpserver.sh
. "$tests/tcpserver.sh"
need perl tcprules prlimit

peer=/usr/bin/tcpserver         # ucspi-tcp's, whose log ours must equal
nobody=$((1000000 + 2 * $$))    # it and the next: ids that own no process
chmod 711 "$work"               # for that one
mkfifo "$work/words"

cpu_ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# --- the log ---

cat >"$work/act" <<'ACT'
#!/bin/sh
case $ACT in
kill) kill -KILL $$ ;;
*) exit "$ACT" ;;
esac
ACT
chmod 755 "$work/act"
rules "$work/events.cdb" <<'RULES'
127.0.0.2:deny
127.0.0.3:allow,ACT="3"
127.0.0.4:allow,ACT="kill"
:allow,ACT="0"
RULES
echo 'no cdb' >"$work/broken.cdb"
events() {
	listen -v -R -H -l mail.example.com -c 2 -x "$work/events.cdb" \
		127.0.0.1 0 "$work/act"
	for i in 1 2 3 4; do
		talk -f 127.0.0.$i
		wait_for_count $((i + 1)) 'status: 0/2'
	done
	mask
	stop "$server"
	listen -v -R -H -l '' 127.0.0.1 0 /nonexistent/program a b
	talk
	wait_for_count 2 'status: 0/40'
	mask
	stop "$server"
	cd "$work" || exit 1
	listen -v -R -H -l 0 -x missing.cdb 127.0.0.1 0 true
	talk
	wait_for_count 2 'status: 0/40'
	mask
	stop "$server"
	cd "$top" || exit 1
}
cat >"$work/wanted" <<'LOG'
tcpserver: status: 0/2
tcpserver: status: 1/2
tcpserver: pid P1 from 127.0.0.1
tcpserver: ok P1 mail.example.com:127.0.0.1:LP :127.0.0.1::RP
tcpserver: end P1 status 0
tcpserver: status: 0/2
tcpserver: status: 1/2
tcpserver: pid P2 from 127.0.0.2
tcpserver: deny P2 mail.example.com:127.0.0.1:LP :127.0.0.2::RP
tcpserver: end P2 status 25600
tcpserver: status: 0/2
tcpserver: status: 1/2
tcpserver: pid P3 from 127.0.0.3
tcpserver: ok P3 mail.example.com:127.0.0.1:LP :127.0.0.3::RP
tcpserver: end P3 status 768
tcpserver: status: 0/2
tcpserver: status: 1/2
tcpserver: pid P4 from 127.0.0.4
tcpserver: ok P4 mail.example.com:127.0.0.1:LP :127.0.0.4::RP
tcpserver: end P4 status 9
tcpserver: status: 0/2
tcpserver: status: 0/40
tcpserver: status: 1/40
tcpserver: pid P1 from 127.0.0.1
tcpserver: ok P1 :127.0.0.1:LP :127.0.0.1::RP
tcpserver: warning: dropping connection, unable to run /nonexistent/program: file does not exist
tcpserver: end P1 status 28416
tcpserver: status: 0/40
tcpserver: status: 0/40
tcpserver: status: 1/40
tcpserver: pid P1 from 127.0.0.1
tcpserver: warning: dropping connection, unable to read missing.cdb: file does not exist
tcpserver: end P1 status 28416
tcpserver: status: 0/40
LOG
events >"$work/ours"
same_file "$work/ours" "$work/wanted" 'the log of every way a session ends'
if is_here "$peer" "ucspi-tcp's log of the same events"; then
	tcpserver=$peer
	events >"$work/theirs"
	tcpserver=
	same_file "$work/theirs" "$work/ours" "ucspi-tcp's log of the same events"
fi

# names_shown: how long and strange names look in the log
names_shown() {
	for length in 99 100 150; do
		listen -v -R -H -l "$(printf "%0${length}d" 0)" 127.0.0.1 0 true
		talk
		wait_for_count 1 ' end '
		mask | grep ' ok '
		stop "$server"
	done
	listen -v -R -H -l "$(printf 'a:b%%c d\033~\377')" 127.0.0.1 0 true
	talk
	wait_for_count 1 ' end '
	mask | grep ' ok '
	stop "$server"
}
names_shown >"$work/ours"
like "$(cat "$work/ours")" ' ok P1 a\?b\?c\?d\?~\?:127\.0\.0\.1:LP ' \
	'a strange local name is made printable'
like "$(cat "$work/ours")" ' ok P1 0{100}\.\.\.:127' 'a long one is cut'
if is_here "$peer" 'names as ucspi-tcp shows them'; then
	tcpserver=$peer
	names_shown >"$work/theirs"
	tcpserver=
	same_file "$work/ours" "$work/theirs" 'names as ucspi-tcp shows them'
fi

listen -R -H -l 0 -x "$work/broken.cdb" 127.0.0.1 0 true
talk
wait_for_count 1 .
is "$(cat "$work/log")" "tcpserver: warning: dropping connection, unable to read $work/broken.cdb: protocol error" \
	'without -v only the warning'
stop "$server"
listen -q -R -x "$work/broken.cdb" 127.0.0.1 0 true
talk -n 2
stop "$server"
is "$(cat "$work/log")" '' '-q says nothing'

# --- wrong use and what fails at the start ---

usage='tcpserver: usage: tcpserver [ -461UXpPhHrRoOdDqQv ] [ -c limit ] [ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] [ -t timeout ] [ -f fd ] [ -I interface ] host port program'
is "$(failure -z 127.0.0.1 0 true)" "tcpserver: illegal option -- z
$usage
100" 'an unknown option'
is "$(failure -vHc)" "tcpserver: option requires an argument -- c
$usage
100" 'an option without its argument'
for words in '' 127.0.0.1 '127.0.0.1 0'; do
	# shellcheck disable=SC2086 # words
	is "$(failure $words)" "$usage
100" "too few words: '$words'"
done
for option in -cx -c-1 -c4194305 -b1x -u-1 -u4294967295 -gx -t1.5 -c; do
	like "$(failure "$option" 127.0.0.1 0 true)" '^100$' \
		"no number: '$option'"
done
like "$(failure -c 1x 127.0.0.1 0 true)" \
	'^tcpserver: option -c takes a number from 0 to 4194304$' \
	'a bad number is explained'
for word in nosuchservice 65536 25x -1 ''; do
	is "$(failure -- 127.0.0.1 "$word" true)" \
		"tcpserver: fatal: unable to figure out port number for $word
111" "no port: '$word'"
done
is "$(failure no..host 0 true)" 'tcpserver: fatal: no IP address for no..host
111' 'no such host'
is "$(failure "$(printf 'no\033host..')" 0 true)" \
	'tcpserver: fatal: no IP address for no?host..
111' 'a strange host is made printable'
is "$(failure 192.0.2.1 0 true)" \
	'tcpserver: fatal: unable to bind: address not available
111' "somebody else's address"
is "$(failure -4 :: 0 true)" 'tcpserver: fatal: no IP address for ::
111' '-4 with an IPv6 address'
listen -v -R -H -l 0 127.0.0.1 0 true
is "$(failure 127.0.0.1 "$port" true)" \
	'tcpserver: fatal: unable to bind: address already used
111' 'the port is in use'
is "$(failure -q 127.0.0.1 "$port" true)" '
111' 'the port is in use, with -q'
stop "$server"
if is_user 'privileges that one does not have'; then
	is "$(failure -g 1 127.0.0.1 0 true)" \
		'tcpserver: fatal: unable to set gid: permission denied
111' 'privileges that one does not have'
	is "$(failure -u 0 -u 1 127.0.0.1 0 true)" \
		'tcpserver: fatal: unable to set uid: permission denied
111' 'another user that one cannot be'
fi
is "$(UID=99999999999 failure -U 127.0.0.1 0 true)" \
	'tcpserver: fatal: unable to set uid: Invalid argument
111' 'a user id that is none'

# --- what the program is given ---

# environment [OPTION…]: what a program is told of its connection, sorted
environment() {
	TCPREMOTEHOST=inherited TCPREMOTEINFO=inherited TCPLOCALHOST=inherited \
	TCP6REMOTEIP=inherited TCP6INTERFACE=inherited PROTO=inherited \
	TCPREMOTEIPX=kept listen -R -H "$@" 0 env
	"$client_command" >"$work/environment"
	stop "$server"
	grep -E '^(TCP|PROTO)' "$work/environment" |
		sed -E "s/=$port\$/=LP/; s/(PORT)=[0-9]+\$/\1=RP/" | sort
}
client_4() { talk; }
client_6() { tcp-talk ::1 "$port" </dev/null; }
ipv4='PROTO=TCP
TCPLOCALIP=127.0.0.1
TCPLOCALPORT=LP
TCPREMOTEIP=127.0.0.1
TCPREMOTEIPX=kept
TCPREMOTEPORT=RP'
client_command=client_4
is "$(environment 127.0.0.1)" "$ipv4" 'the environment of an IPv4 client'
is "$(environment 0)" "$ipv4" 'the same on all addresses'
is "$(environment '')" "$ipv4" 'the same with an empty host'
is "$(environment localhost)" "$ipv4" 'the same with a name'
is "$(environment ::ffff:127.0.0.1)" "$ipv4" 'the same with an IPv4-mapped host'
is "$(environment -l name 127.0.0.1 | grep HOST)" TCPLOCALHOST=name '-l name'
is "$(environment -l '' 127.0.0.1 | grep HOST)" TCPLOCALHOST= "-l ''"
is "$(environment -6 -l me 127.0.0.1)" 'PROTO=TCP6
TCP6LOCALHOST=me
TCP6LOCALIP=::ffff:127.0.0.1
TCP6LOCALPORT=LP
TCP6REMOTEIP=::ffff:127.0.0.1
TCP6REMOTEPORT=RP
TCPLOCALHOST=me
TCPLOCALIP=::ffff:127.0.0.1
TCPLOCALPORT=LP
TCPREMOTEIP=::ffff:127.0.0.1
TCPREMOTEIPX=kept
TCPREMOTEPORT=RP' '-6 keeps the IPv6 form of an IPv4 client'

ipv6='PROTO=TCP6
TCP6LOCALHOST=me
TCP6LOCALIP=::1
TCP6LOCALPORT=LP
TCP6REMOTEIP=::1
TCP6REMOTEPORT=RP
TCPLOCALHOST=me
TCPLOCALIP=::1
TCPLOCALPORT=LP
TCPREMOTEIP=::1
TCPREMOTEIPX=kept
TCPREMOTEPORT=RP'
if has_ipv6 'IPv6 clients'; then
	client_command=client_6
	is "$(environment -l me ::1)" "$ipv6" 'the environment of an IPv6 client'
	is "$(environment -l me ::)" "$ipv6" 'the same on all IPv6 addresses'
	is "$(environment -l me :0)" "$ipv6" 'the same on a dual-stack socket'
	client_command=client_4
	is "$(environment :0)" "$ipv4" 'an IPv4 client on a dual-stack socket'
	is "$(environment -4 :0)" "$ipv4" 'and with -4'
	rules "$work/dual.cdb" <<'RULES'
127.0.0.1:allow,FOUND="four"
RULES
	listen -v -R -H -l me -x "$work/dual.cdb" :0 0 sh -c 'echo $FOUND'
	is "$(talk)" four 'rules know an IPv4 client there by its dotted quad'
	client_6 >/dev/null
	wait_for_count 2 ' end '
	is "$(mask | grep ' ok ')" 'tcpserver: ok P1 me:127.0.0.1:LP :127.0.0.1::RP
tcpserver: ok P2 me:::1:LP :::1::RP' 'addresses of both families in the log'
	stop "$server"
	listen -R -H -l me :: 0 true
	unlike "$(talk 2>&1 || echo refused)" '^$' ':: is IPv6 only'
	stop "$server"
fi

rules "$work/rules.cdb" <<'RULES'
127.0.0.1:allow,TCPREMOTEHOST="rule",TCPLOCALHOST="rule",PROTO="rule",A="1",A="2",PATH="/nonexistent",INHERITED="new",EMPTY=""
127.0.0.2:allow,B="2"
127.0.0.3:deny,B="2"
RULES
export INHERITED=old
listen -v -R -H -l me -x "$work/rules.cdb" 127.0.0.1 0 env
talk >"$work/environment"
is "$(grep -E '^(TCPREMOTEHOST|TCPLOCALHOST|PROTO|A|PATH|INHERITED|EMPTY|B)=' "$work/environment" | sort)" \
	'A=2
EMPTY=
INHERITED=new
PATH=/nonexistent
PROTO=rule
TCPLOCALHOST=rule
TCPREMOTEHOST=rule' "a rule's variables win, and PATH is for the program only"
like "$(cat "$work/log")" ' ok [0-9]* me:127.0.0.1:[0-9]* :127.0.0.1::' \
	'the log tells what the server knows itself'
talk -f 127.0.0.2 >"$work/environment"
is "$(grep -E '^(A|B|INHERITED|TCPLOCALHOST)=' "$work/environment" | sort)" \
	'B=2
INHERITED=old
TCPLOCALHOST=me' "the next client has nothing of the last one's rule"
is "$(talk -f 127.0.0.3)" '' 'a denied client is not served'
awk 'BEGIN { printf "127.0.0.1:allow"
	for (i = 0; i < 1000; i++) printf ",VARIABLE_%d=\"%d\"", i, i
	print "" }' | rules "$work/rules.cdb"
talk >"$work/environment"
is "$(grep -c '^VARIABLE_' "$work/environment") $(grep -c '^TCPREMOTEIP=' "$work/environment") $(grep '^VARIABLE_999' "$work/environment")" \
	'1000 1 VARIABLE_999=999' 'a rule of 1000 variables'
stop "$server"

# Whoever runs this may have left some open, as may the shell.
open_here=$(sh -c 'ls /proc/$$/fd')
echo inherited >"$work/file"
listen -R -H -l 0 -x "$work/rules.cdb" 127.0.0.1 0 \
	sh -c 'cat <&7; ls /proc/$$/fd' 7<"$work/file"
is "$(talk)" "inherited
$(printf '%s\n' "$open_here" 7 | sort)" 'descriptors: inherited ones pass, none of ours does'
stop "$server"
listen -R -H -l 0 127.0.0.1 0 sh -c 'ls /proc/$$/fd' <&- 2>&-
is "$(talk)" "$open_here" 'closed standard descriptors do no harm'
stop "$server"
listen -R -H -l 0 127.0.0.1 0 perl -e '
	use POSIX; my $blocked = POSIX::SigSet->new;
	sigprocmask(SIG_BLOCK, POSIX::SigSet->new, $blocked);
	print join(" ", (grep { $blocked->ismember($_) } 1 .. 31),
		map { $SIG{$_} // "DEFAULT" } qw(PIPE CHLD TERM HUP)), "\n"'
is "$(talk)" 'DEFAULT DEFAULT DEFAULT DEFAULT' 'signals are as at the start'
stop "$server"
argument=$(awk 'BEGIN { for (i = 0; i < 10000; i++) printf "123456789 " }')
listen -R -H -l 0 127.0.0.1 0 sh -c 'echo ${#1} $#' sh "$argument" b c
is "$(talk)" '100000 3' 'a long command line'
stop "$server"
listen -R -H -l 0 -D 127.0.0.1 0 perl -MSocket=IPPROTO_TCP,TCP_NODELAY -e '
	printf "%d\n", unpack "i", getsockopt STDIN, IPPROTO_TCP, TCP_NODELAY'
is "$(talk)" 1 '-D'
stop "$server"

# --- rules ---

listen -v -R -H -l 0 -x "$work/new.cdb" -B 'banner ' 127.0.0.1 0 \
	sh -c 'echo "$WHICH"'
is "$(talk)" 'banner ' 'no rules file: dropped after the banner'
echo ':allow,WHICH="first"' | rules "$work/new.cdb"
is "$(talk)" 'banner first' 'a rules file that has come is used'
echo ':allow,WHICH="other"' | rules "$work/new.cdb"
is "$(talk)" 'banner other' 'so is one that replaced it, of the same size'
echo ':deny' | rules "$work/new.cdb"
is "$(talk)" 'banner ' 'a denied client has seen the banner'
cp "$work/broken.cdb" "$work/new.cdb"
is "$(talk)" 'banner ' 'a file broken in place drops the client'
echo ':allow,WHICH="again"' | rules "$work/new.cdb"
is "$(talk)" 'banner again' 'and the server goes on'
wait_for_count 6 ' end '
is "$(mask | grep -c 'status 25600'; grep -c 'unable to read' "$work/log")" '1
2' 'each had its end in the log'
stop "$server"
listen -v -R -H -l 0 -X -x "$work/none.cdb" 127.0.0.1 0 sh -c 'echo "${WHICH-none}"'
is "$(talk)" none '-X: no rules file allows'
echo ':allow,WHICH="one"' | rules "$work/none.cdb"
is "$(talk)" one '-X: a rules file that has come is used'
rm "$work/none.cdb"
is "$(talk)" none '-X: and not any longer when it has gone'
cp "$work/broken.cdb" "$work/none.cdb"
is "$(talk)" '' '-X: a broken one drops'
stop "$server"
mkfifo "$work/fifo.cdb"
listen -R -H -l 0 -X -x "$work/fifo.cdb" 127.0.0.1 0 echo served
is "$(talk)" '' 'a pipe in place of the rules does not block'
stop "$server"

# cdb KEY DATA…: a file with these records, DATA as perl writes it
cdb() {
	perl -e '
		my ($at, $records, @slots) = (2048, "");
		while (my ($key, $data) = splice @ARGV, 0, 2) {
			$data = eval "\"$data\"";
			my $hash = 5381;
			$hash = (($hash << 5) + $hash & 0xffffffff) ^ ord
				for split //, $key;
			push @{ $slots[$hash & 255] }, [$hash, $at];
			my $record = pack("VV", length $key, length $data)
				. "$key$data";
			$records .= $record;
			$at += length $record;
		}
		my ($heads, $tables) = ("", "");
		for my $i (0 .. 255) {
			my @all = @{ $slots[$i] // [] };
			my @table = ([0, 0]) x (2 * @all);
			for my $slot (@all) {
				my $try = ($slot->[0] >> 8) % @table;
				$try = ($try + 1) % @table while $table[$try][1];
				$table[$try] = $slot;
			}
			$heads .= pack "VV", $at + length $tables,
				scalar @table;
			$tables .= pack "VV", @$_ for @table;
		}
		print $heads, $records, $tables' "$@"
}
cdb 127.0.0.1 'X\0+NOEQUALS\0+GOOD=1\0\0+=odd\0+CUT=1' >"$work/odd.cdb"
listen -v -R -H -l 0 -x "$work/odd.cdb" 127.0.0.1 0 env
talk >"$work/environment"
is "$(grep -E '^(X|NOEQ|GOOD|CUT|=)' "$work/environment" | sort)" '=odd
GOOD=1' \
	'odd rule data: what is no variable is passed over'
cdb 127.0.0.1 '+A=1' >"$work/whole.cdb"
perl -e 'local $/; open F, $ARGV[0]; $_ = <F>;
	substr($_, 2048, 8) = pack "VV", 9, 0x7fffffff; print' \
	"$work/whole.cdb" >"$work/odd.cdb"
is "$(talk)" '' 'a record that points outside drops the client'
head -c 2060 "$work/whole.cdb" >"$work/odd.cdb"
is "$(talk)" '' 'a truncated file too'
: >"$work/odd.cdb"
is "$(talk)" '' 'an empty file too'
wait_for_count 4 ' end '
is "$(grep -c 'unable to read .*odd.cdb: ' "$work/log") $(grep -c 'status 28416' "$work/log")" \
	'3 3' 'each with its warning'
cp "$work/whole.cdb" "$work/odd.cdb"
like "$(talk)" '^TCPREMOTEIP=127.0.0.1' 'and a good one is used again'
if is_user 'a file that is no longer readable'; then
	chmod 000 "$work/odd.cdb"
	is "$(talk)" '' 'a file that is no longer readable drops the client'
	wait_for_count 1 'odd.cdb: access denied'
	chmod 600 "$work/odd.cdb"
	like "$(talk)" '^TCPREMOTEIP=' 'until it is again'
fi
stop "$server"

# --- limits, many clients ---

listen -v -R -H -l 0 -c 1 127.0.0.1 0 sh -c 'echo served; read -r line'
hold "$work/first"
first=$client
wait_for_line "$work/first" served
hold "$work/second" -c "$work/connected"
wait_until test -f "$work/connected"
stop "$first"
wait_for_line "$work/second" served
is "$(mask | grep -E ' (pid|end|status:) ' | head -n 6)" 'tcpserver: status: 0/1
tcpserver: status: 1/1
tcpserver: pid P1 from 127.0.0.1
tcpserver: end P1 status 256
tcpserver: status: 0/1
tcpserver: status: 1/1' 'the second of -c 1 is served when the first leaves'
stop "$client"
stop "$server"
listen -v -R -H -l 0 -c 0 127.0.0.1 0 echo served
rm -f "$work/connected"
hold "$work/first" -c "$work/connected"
wait_until test -f "$work/connected"
stop "$server"
is "$(cat "$work/first" "$work/log")" 'tcpserver: status: 0/0' '-c 0 never accepts'
stop "$client"

listen -v -R -H -l 0 127.0.0.1 0 echo served
files_open=$(ls "/proc/$server/fd")
is "$(talk -n 300 | grep -c served)" 300 '300 clients in a row'
wait_for_count 300 ' end [0-9]* status 0$'
is "$(tail -n 1 "$work/log")" 'tcpserver: status: 0/40' 'all of them are gone'
is "$(ls "/proc/$server/fd")" "$files_open" 'and have left nothing open'
i=0
while [ $i -lt 60 ]; do
	i=$((i + 1))
	hold "$work/burst.$i"
	clients="${clients:-} $client"
done
for client in $clients; do wait "$client"; done
is "$(cat "$work"/burst.* | grep -c served)" 60 '60 at the same time, with -c 40'
wait_for_count 360 ' end [0-9]* status 0$'
stop "$server"

if ! grep -q musl "$BUILD/settings"; then
	skip 'only a static program is so small' '3 MB of memory'
elif is_here softlimit '3 MB of memory'; then
	under='softlimit -m 3000000'
	listen -v -R -H -l 0 -x "$work/events.cdb" 127.0.0.1 0 \
		"$bin/tcpserver" -z
	under=
	talk -n 50
	wait_for_count 50 ' end [0-9]* status 25600$'
	is "$(grep -c 'illegal option' "$work/log")" 50 \
		'3 MB of memory are enough'
	stop "$server"
fi

# --- who it runs as ---

if is_root '-u, -g and -U'; then
	listen -R -H -l 0 -u $nobody -g 999999 127.0.0.1 0 \
		sh -c 'id -u; id -g; id -G'
	is "$(talk)" "$nobody
999999
999999" '-u and -g: this user, this group and no other'
	stop "$server"
	UID=$nobody GID=999999 listen -R -H -l 0 -U 127.0.0.1 0 \
		sh -c 'id -u; id -G; env'
	is "$(talk | grep -E "^(UID=|GID=|$nobody|999999)" | sort)" "$nobody
999999
GID=999999
UID=$nobody" '-U: those of the environment, which stay there'
	stop "$server"
	cp "$work/whole.cdb" "$work/secret.cdb"
	chmod 600 "$work/secret.cdb"
	listen -R -H -l 0 -u $nobody -x "$work/secret.cdb" 127.0.0.1 0 echo served
	is "$(talk)" '' 'rules that this user cannot read drop the client'
	wait_for_count 1 'secret.cdb: access denied'
	chmod 644 "$work/secret.cdb"
	is "$(talk)" served 'until it can'
	stop "$server"

	# Another user: processes of the last one may still be ending.
	under='prlimit --nproc=2'
	listen -v -R -H -l 0 -u $((nobody + 1)) 127.0.0.1 0 \
		sh -c 'echo served; read -r line'
	under=
	hold "$work/first"
	wait_for_line "$work/first" served
	is "$(talk)" '' 'no more processes: the client is dropped'
	wait_for_count 2 'status: 1/40'
	is "$(grep -A 1 'status: 2/40' "$work/log" | sed 's/fork: .*/fork:/')" \
		'tcpserver: status: 2/40
tcpserver: warning: dropping connection, unable to fork:' 'with a warning'
	stop "$client"
	wait_for_count 1 ' end '
	hold "$work/second"
	wait_for_line "$work/second" served
	ok 'and one is served again when the first has left'
	stop "$client"
	stop "$server"
fi

# --- signals ---

listen -v -R -H -l 0 127.0.0.1 0 sh -c 'echo ready; read -r word; echo "$word"'
: >"$work/first"
tcp-talk 127.0.0.1 "$port" <"$work/words" >"$work/first" &
client=$!
started="$started $client"
exec 9>"$work/words"
wait_for_line "$work/first" ready
kill -TERM "$server"
code=0
wait "$server" || code=$?
is "$code" 0 'SIGTERM ends the server at once'
echo still here >&9
exec 9>&-
wait "$client"
is "$(cat "$work/first")" 'ready
still here' 'and leaves the session alone'
listen -R -H -l 0 127.0.0.1 0 echo served
i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	kill -CHLD "$server"
	kill -PIPE "$server"
done
is "$(talk)" served 'stray SIGCHLD and SIGPIPE do no harm'
stop "$server"
sh -c 'cat "$0/words" & echo $! >"$0/stray"; exec "$@" 2>&1' "$work" \
	"$bin/tcpserver" -v -R -H -l 0 -c 1 -1 127.0.0.1 0 \
	sh -c 'echo served; read -r line' >"$work/log" &
server=$!
started="$started $server"
wait_for_count 1 'status: 0/1'
port=$(head -n 1 "$work/log")
: >"$work/words"
wait_for_line "/proc/$(cat "$work/stray")/stat" '\) Z '
hold "$work/first"
wait_for_line "$work/first" served
stop "$client"
wait_for_count 1 ' end '
is "$(grep -c ' end ' "$work/log") $(tail -n 1 "$work/log")" \
	'1 tcpserver: status: 0/1' "somebody else's child is no session"
stop "$server"

# --- running out of things ---

listen -v -R -H -l 0 127.0.0.1 0 echo served
files=$(prlimit --nofile --output SOFT --noheadings -p "$server")
prlimit --nofile=0: -p "$server"
hold "$work/first"
wait_for_count 1 'unable to accept a connection: '
before=$(cpu_ticks "$server")
sleep 1         # what it uses of this time is the question
used=$(($(cpu_ticks "$server") - before))
is "$([ "$used" -lt 10 ] || echo "$used ticks")" '' \
	'no descriptors: it does not spin'
prlimit --nofile="$files": -p "$server"
wait "$client"
is "$(cat "$work/first")" served 'and serves the client as soon as it can'
is "$(grep -c warning "$work/log")" 1 'with one warning'
stop "$server"

if can_trace 'failing accept, fork and dup2'; then
	under="strace -D -o $work/trace -e trace=accept,accept4
		-e inject=accept,accept4:error=EMFILE:when=1..5"
	listen -v -R -H -l 0 127.0.0.1 0 echo served
	under=
	is "$(talk -n 2)" 'served
served' 'failing accepts: the client is served in the end'
	is "$(grep -c '^accept' "$work/trace") $(grep -c 'warning: unable to accept a connection: ' "$work/log")" \
		'7 1' 'with as many tries, and one warning'
	stop "$server"
	under="strace -D -o $work/trace -e trace=/^(vfork|fork|clone|p?poll)$
		-e inject=vfork,fork,clone:error=EAGAIN:when=1"
	listen -v -R -H -l 0 127.0.0.1 0 echo served
	under=
	is "$(talk -n 2)" served 'a failing fork: the next client is served'
	wait_for_count 1 ' end '
	is "$(mask | sed -n '2,5s/fork: .*/fork:/; 2,5p')" \
		'tcpserver: status: 1/40
tcpserver: warning: dropping connection, unable to fork:
tcpserver: status: 0/40
tcpserver: status: 1/40' 'as the log says'
	like "$(sed -n '/INJECTED/{n;p;}' "$work/trace")" \
		'^p?poll\(.*\], 2, (100\)|\{tv_sec=0, tv_nsec=100000000\})' \
		'after a pause in which it looks for none'
	stop "$server"
	under="strace -f -D -o $work/trace -e trace=/^dup[23]$
		-e inject=/^dup[23]$:error=EMFILE:when=1"
	listen -v -R -H -l 0 127.0.0.1 0 touch "$work/ran"
	under=
	is "$(talk)" '' 'a failing dup2: the client is dropped'
	wait_for_count 1 ' end '
	is "$(grep -c 'dropping connection, unable to run touch: ' "$work/log")$(
		cd "$work" && find ran 2>/dev/null)" 1 'and no program runs without its output'
	stop "$server"
fi

# --- a real program behind it ---

if is_here mailfront 'an SMTP conversation with mailfront'; then
	listen -v -R -H -l mx.example.com 127.0.0.1 0 \
		mailfront smtp echo accept
	printf 'EHLO client.example\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n' >"$work/smtp"
	printf 'Subject: hello\r\n\r\nbody\r\n.\r\nQUIT\r\n' >>"$work/smtp"
	tcp-talk 127.0.0.1 "$port" <"$work/smtp" >"$work/replies"
	is "$(cut -c 1-3 "$work/replies" | tr '\n' ' ')" \
		'220 250 250 250 250 250 250 354 250 221 ' \
		'an SMTP conversation with mailfront'
	stop "$server"
fi

done_testing
