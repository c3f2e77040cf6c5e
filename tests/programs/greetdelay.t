#!/bin/sh
# greetdelay: the wait, what it does with clients that talk or go meanwhile, and
# that it takes nothing away from the next program.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the programs' shells are to expand
. "$(dirname "$0")/../lib.sh"
need perl

export TCPREMOTEIP=192.0.2.7
# The next program: says what it was given, and the time.
cat >"$work/next" <<'EOF'
#!/bin/sh
echo "pid $$ ${GREETDELAY-unset} ${DROP_PRE_GREET-unset} $*" >&2
exec cat
EOF
# Under the name that log readers know.
mkdir "$work/bin"
printf '#!/bin/sh\necho greeted\n' >"$work/bin/qmail-smtpd"
cp "$work/bin/qmail-smtpd" "$work/bin/smtpd"
chmod 755 "$work/next" "$work/bin/"*

# run COMMAND…: output in $out, messages in $log, exit code in $code.
run() {
	code=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
	out=$(cat "$work/out")
	log=$(cat "$work/err")
}
usage='greetdelay: usage: greetdelay [ -Dr ] [ -d seconds ] program [ arg ... ]'

# --- wrong use
run greetdelay
is "$code $log" "100 $usage" 'no program: the usage, 100'
run greetdelay -z true
is "$code $log" "100 greetdelay: illegal option -- z
$usage" 'an unknown option: 100'
for number in abc -1 3601 99999999999999999999 1x ''; do
	run greetdelay -d "$number" true
	is "$code" 100 "-d $number: 100"
done
run greetdelay -d
is "$code" 100 '-d without a number: 100'
run greetdelay "$work/absent"
is "$code $log" "111 greetdelay: fatal: unable to run $work/absent: file does not exist" \
	'a program that is not there: 111'

# --- nothing to do
run greetdelay "$work/next" -d 'a b'
like "$log" '^pid [0-9]+ unset unset -d a b$' 'no settings: runs the next at once'
export GREETDELAY=0 DROP_PRE_GREET=0
timed run greetdelay sh -c 'echo "$$ ${GREETDELAY-unset} ${DROP_PRE_GREET-unset}"'
like "$out" '^[0-9]+ unset unset$' 'settings of 0 are removed too'
is_at_most 900 'and mean no wait'
export GREETDELAY=junk DROP_PRE_GREET=
timed run greetdelay sh -c 'echo "${GREETDELAY-unset} ${DROP_PRE_GREET-unset}"'
is "$out" 'unset unset' 'junk in the environment is no setting'
is_at_most 900 'and means no wait'
export GREETDELAY=30 DROP_PRE_GREET=1 RELAYCLIENT=
timed run on-socket 'send=early' shut end -- greetdelay -D -d 20 "$work/next"
like "$log" '^pid [0-9]+ unset unset $' 'RELAYCLIENT, even empty: both settings removed'
is "$code $out" '0 early' 'and the early words are no offence'
is_at_most 9000 'and no wait'
unset RELAYCLIENT
export RBLSMTPD=
timed run on-socket 'send=early' shut end -- greetdelay -D -r -d 20 sh -c \
	'echo "${RBLSMTPD-unset} ${GREETDELAY-unset} ${DROP_PRE_GREET-unset}"; exec cat'
is "$code $out" "0  unset unset
early" 'RBLSMTPD empty, as rules exempt clients: the same'
is_at_most 9000 'and no wait'
is "$log" '' 'and nothing is logged'
unset GREETDELAY DROP_PRE_GREET
export RBLSMTPD=listed
timed run on-socket end -- greetdelay -d 1 sh -c 'echo "$RBLSMTPD"'
is "$out" listed 'another verdict stays'
is_at_least 1000 'and spares nobody the wait'
unset RBLSMTPD

# --- waiting
export GREETDELAY=1
timed run on-socket "send=early" "expect=220 hello" 'send= late' shut end -- \
	greetdelay sh -c 'printf "220 hello\r\n"; exec cat'
is_at_least 1000 'GREETDELAY=1 waits a second'
is "$code $out" "0 $(printf '220 hello\r\nearly late')" \
	'early words are not lost: the next program reads them'
is "$log" '' 'and nothing is logged'
timed run on-socket -p 'send=early' 'expect=220 hello' 'send= late' shut end -- \
	greetdelay sh -c 'printf "220 hello\r\n"; exec cat'
is_at_least 1000 'the same on pipes: waits'
is "$code $out" "0 $(printf '220 hello\r\nearly late')" 'and loses nothing'
export GREETDELAY=30
timed run on-socket 'send=hello' shut end -- greetdelay "$work/next"
is "$code $out" '0 hello' 'a client that closes is not waited for'
is_at_most 15000 'the next program runs at once'
timed run on-socket -p 'send=hello' shut end -- greetdelay "$work/next"
is "$code $out" '0 hello' 'nor is one on a pipe'
is_at_most 15000 'and at once'
timed run on-socket reset -- greetdelay "$work/next"
like "$log" '^pid' 'a client that resets the connection: the next program runs'
is_at_most 15000 'and at once'
timed run on-socket "expect=220" shut end -- greetdelay -d 1 sh -c 'echo 220; cat'
is_at_most 15000 '-d wins over the environment'
is_at_least 1000 'and waits as long as it says'
on-socket end -- greetdelay -d 0 sh -c 'echo $$' >/dev/null 2>&1
is "$?" 0 '-d 0: no wait'
sh -c 'echo $$ >&3; exec greetdelay -d 1 sh -c "echo \$\$ >&3"' 3>"$work/pids" \
	</dev/null
is "$(uniq "$work/pids" | wc -l)" 1 'the next program has the same pid'
unset GREETDELAY

# --- dropping: a client that talks
export DROP_PRE_GREET=1
violation=$(printf '554 SMTP protocol violation\r\n')
timed run on-socket 'send=EHLO x\r\n' end close -- greetdelay -d 30 "$work/next"
is "$code $out" "1 $violation" 'DROP_PRE_GREET: early words get the 554, exit 1'
like "$log" '^greetdelay\[[0-9]+\]: before greeting: \[192\.0\.2\.7\] client sent data$' \
	'and a line in the log'
is "$(printf '%s\n' "$log" | wc -l)" 1 'and no other; the next program does not run'
is_at_most 15000 'at once, without the rest of the wait'
run on-socket 'send=EHLO x\r\n' shut end close -- greetdelay "$work/next"
is "$code $out" "1 $violation" 'words and a half-close: the same'
run on-socket -p 'send=x' shut end close -- greetdelay "$work/next"
is "$code $out" "1 $violation" 'words on a pipe: the same'
timed run on-socket 'times=200000:MAIL FROM:<a@b>\r\n' -- greetdelay "$work/next"
is "$code" 1 'a client that never stops talking is left'
is_at_most 20000 'within the limits'
timed run on-socket 'times=3000:MAIL FROM:<a@b>\r\n' end unbroken -- greetdelay "$work/next"
is "$code $out" "1 $violation" 'much that was sent early does not destroy the reply'
is_at_most 20000 'within the limits'
unset DROP_PRE_GREET
run on-socket 'send=x' end close -- greetdelay -D "$work/next"
is "$code $out" "1 $violation" '-D is DROP_PRE_GREET'
export DROP_PRE_GREET=2junk
run on-socket 'send=x' end close -- greetdelay "$work/next"
is "$code $out" "1 $violation" 'any number above 0 will do'

# --- dropping: a client that goes
timed run on-socket close -- greetdelay -d 30 "$work/next"
is "$code" 1 'a client that closes: exit 1'
like "$log" '^greetdelay\[[0-9]+\]: before greeting: \[192\.0\.2\.7\] client disconnected$' \
	'and a line in the log'
is "$(printf '%s\n' "$log" | wc -l)" 1 'and no other; the next program does not run'
is_at_most 15000 'at once'
run on-socket shut end close -- greetdelay -d 30 "$work/next"
is "$code $out" '1 ' 'a half-close is one too, and gets no words'
run on-socket reset -- greetdelay -d 30 "$work/next"
is "$code" 1 'a reset: exit 1'
like "$log" 'client disconnected$' 'and the same line'
run on-socket -p shut end close -- greetdelay -d 30 "$work/next"
is "$code $out" '1 ' 'the end of a pipe: the same'
like "$log" 'client disconnected$' 'and the same line'

# --- dropping: a client that waits
timed run on-socket "expect=220 hello" 'send=words' shut end -- \
	greetdelay sh -c 'printf "220 hello\r\n"; exec cat'
is "$code $out" "0 $(printf '220 hello\r\nwords')" 'a client that waits is served'
is_at_least 1000 'after a second, when GREETDELAY is not set'
is "$log" '' 'and nothing is logged'
timed run on-socket 'expect=220' shut end -- greetdelay -d 2 sh -c 'echo 220; cat'
is_at_least 2000 'GREETDELAY is the whole wait'
is_at_most 2900 'not one second more'

# --- a verdict for rblsmtpd
cat >"$work/verdict" <<'EOF'
#!/bin/sh
echo "verdict ${RBLSMTPD-unset} ${GREETDELAY-unset} ${DROP_PRE_GREET-unset}" >&2
exec cat
EOF
chmod 755 "$work/verdict"
unset DROP_PRE_GREET
export GREETDELAY=30
timed run on-socket 'send=early' shut end -- greetdelay -r "$work/verdict"
is "$code $out" '0 early' '-r: the next program runs, and reads the early words'
like "$log" '^verdict -SMTP protocol violation unset unset$' 'with the verdict'
like "$log" '^greetdelay\[[0-9]+\]: before greeting: \[192\.0\.2\.7\] client sent data$' \
	'and a line in the log'
is_at_most 15000 'at once, without the rest of the wait'
run on-socket -p 'send=early' shut end -- greetdelay -r "$work/verdict"
is "$code $out" '0 early' 'the same on pipes'
like "$log" '^verdict -SMTP protocol violation ' 'with the verdict'
for options in -rD -Dr; do
	run on-socket 'send=early' shut end -- greetdelay "$options" "$work/verdict"
	like "$log" '^verdict -SMTP protocol violation ' "$options is -r"
done
export DROP_PRE_GREET=1
run on-socket 'send=early' shut end -- greetdelay -r "$work/verdict"
like "$log" '^verdict -SMTP protocol violation unset unset$' 'so is DROP_PRE_GREET and -r'
unset DROP_PRE_GREET
export RBLSMTPD='listed already'
run on-socket 'send=early' shut end -- greetdelay -r "$work/verdict"
like "$log" '^verdict listed already ' 'a verdict that was there stays'
like "$log" 'client sent data$' 'and the line is in the log all the same'
unset RBLSMTPD
export RELAYCLIENT=
run on-socket 'send=early' shut end -- greetdelay -r "$work/verdict"
is "$log" 'verdict unset unset unset' 'RELAYCLIENT: no verdict'
unset RELAYCLIENT
for way in close reset; do
	timed run on-socket "$way" -- greetdelay -r "$work/verdict"
	is "$code" 1 "a client that goes ($way): exit 1"
	like "$log" 'client disconnected$' 'and a line in the log'
	unlike "$log" verdict 'and the next program does not run'
	is_at_most 15000 'at once'
done
unset GREETDELAY
timed run on-socket 'expect=220' 'send=words' shut end -- \
	greetdelay -r sh -c 'echo 220; exec "$1"' - "$work/verdict"
is "$out" '220
words' 'a client that waits is served'
is "$log" 'verdict unset unset unset' 'with no verdict, and nothing is logged'
is_at_least 1000 'after a second, when GREETDELAY is not set'

# --- the chain: greetdelay -r rblsmtpd. No list is asked, so it needs no DNS.
cat >"$work/server" <<'EOF'
#!/bin/sh
printf '220 server.example\r\n'
exec cat >&2
EOF
chmod 755 "$work/server"
run on-socket 'send=EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nQUIT\r\n' end unbroken \
	close -- greetdelay -r -d 20 rblsmtpd -r list.invalid "$work/server"
is "$code $out" "0 $(printf '%s\r\n' '220 rblsmtpd.local' '250 rblsmtpd.local' \
	'250 rblsmtpd.local' '553 SMTP protocol violation' '221 rblsmtpd.local')" \
	'rblsmtpd refuses an early talker, and misses none of its words'
like "$log" '^greetdelay\[[0-9]+\]: before greeting: \[192\.0\.2\.7\] client sent data$' \
	'greetdelay tells why'
like "$log" '^rblsmtpd: 192\.0\.2\.7 pid [0-9]+: 553 SMTP protocol violation$' \
	'rblsmtpd tells what'
pid=$(printf '%s\n' "$log" | sed -n 's/^greetdelay.\([0-9]*\).*/\1/p')
like "$log" "^rblsmtpd: .* pid $pid: 553" 'both by the same pid'
run on-socket 'expect=220 server' 'send=EHLO a\r\n' shut end -- \
	greetdelay -r rblsmtpd "$work/server"
is "$code $out" "0 $(printf '220 server.example\r\n')" 'a client that waits gets to the server'
is "$log" "$(printf 'EHLO a\r')" 'with all its words'
export RBLSMTPD=
run on-socket 'send=EHLO a\r\n' 'expect=220 server' shut end -- \
	greetdelay -r -d 20 rblsmtpd -r list.invalid "$work/server"
is "$code $log" "0 $(printf 'EHLO a\r')" 'so does one that is exempt'
unset RBLSMTPD

# --- the log line
export DROP_PRE_GREET=1
for name in smtpd qmail-smtpd; do
	run on-socket close -- greetdelay "$work/bin/$name"
	like "$log" '^qmail-smtpd\[[0-9]+\]: before greeting: \[192\.0\.2\.7\] client disconnected$' \
		"before $name the line begins as log readers expect"
done
PATH=$work/bin:$PATH
run on-socket close -- greetdelay qmail-smtpd
like "$log" "^qmail-smtpd\\[[0-9]+\\]: before" 'so too when it is found in PATH'
run on-socket close -- sh -c 'echo $$ >"$1"; exec greetdelay true' - "$work/pid"
like "$log" "^greetdelay\\[$(cat "$work/pid")\\]: before" "and with the chain's pid"
TCPREMOTEIP=$(printf '1\n2\033[2J\377')
run on-socket close -- greetdelay true
like "$log" ': before greeting: \[1\?2\?\[2J\?\] client' 'hostile bytes of the address are made printable'
TCPREMOTEIP=$(printf '%0500d' 0)
run on-socket close -- greetdelay true
like "$log" ': before greeting: \[0{60}\.\.\.\] client|\[0+\.\.\.\] client' 'and its length is limited'
unset TCPREMOTEIP
run on-socket close -- greetdelay true
like "$log" ': before greeting: \[unknown\] client' 'no address: unknown'

# --- small
if is_plain 'works in 3 MB' && is_here softlimit 'works in 3 MB'; then
	run on-socket 'send=x' end close -- softlimit -m 3000000 greetdelay "$work/next"
	is "$code $out" "1 $violation" 'works in 3 MB'
fi
unset DROP_PRE_GREET
name='with nothing to do, no system call of its own before the exec'
if is_plain "$name" && can_trace "$name"; then
	strace -o "$work/trace" greetdelay /bin/true </dev/null
	before_next=$(sed -n '2,/execve/p' "$work/trace" | grep -vc execve)
	# What libc's start takes, and nothing of ours.
	most=2
	if ldd "$bin/greetdelay" >/dev/null 2>&1; then most=60; fi
	if [ "$before_next" -le "$most" ]; then ok "$name"
	else not_ok "$name" "$before_next > $most"; fi
fi
done_testing
