#!/bin/sh
# smtpd and its settings: control files that are there, not there, unreadable or
# damaged (case 57), the environment, and little memory (case 60). What the
# values do to commands stands in the dialogues of smtpd.t.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need cdb

cat >"$work/controls.txt" <<'END'
== 57: no control/me
control me
S: 421 unable to read controls (#4.3.0)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: *control/me: *

== 57: an empty control/me
control me # nothing
S: 220 # nothing ESMTP

== 57: control/me of blanks
control me  \t
S: 421 unable to read controls (#4.3.0)
EOF
STATUS: 1

== smtpgreeting does without control/me
control me
control smtpgreeting mail.example.org hello
S: 220 mail.example.org hello ESMTP

== blanks at the end of a line are cut, further lines are not read
control me mx.example.org \t \nsecond line
S: 220 mx.example.org ESMTP

== 57: no control folder
env CONTROLDIR=/nonexistent/control
S: 421 unable to read controls (#4.3.0)
EOF
STATUS: 1

== numbers: digits count, what follows them does not
control databytes 12x
S: 220 *
C: EHLO
S: 250-*
S: 250-SIZE 12
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME

== numbers: no digits leave what was there
control databytes none
env DATABYTES=
S: 220 *
C: EHLO
S: 250-*
S: 250-SIZE 0
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME

== numbers: $DATABYTES without digits leaves control/databytes
control databytes 123
env DATABYTES=none
S: 220 *
C: EHLO
S: 250-*
S: 250-SIZE 123
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME

== numbers: DATABYTES=0 is no limit
control databytes 1
env DATABYTES=0
S: 220 *
C: MAIL FROM:<> SIZE=1000
S: 250 ok
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 354 *
C: text
C: .
S: 250 ok * qp *
E: *

== numbers: the largest databytes is no small one
env DATABYTES=18446744073709551615
S: 220 *
C: MAIL FROM:<> SIZE=18446744073709551615
S: 250 ok
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 354 *
C: text
C: .
S: 250 ok * qp *
E: *

== lists: comments, empty lines and blanks
control badmailfrom #bad@client.example\n\n \t\nworse@client.example \t
S: 220 *
C: MAIL FROM:<bad@client.example>
C: RCPT TO:<u@example.org>
C: RSET
C: MAIL FROM:<worse@client.example>
C: RCPT TO:<u@example.org>
S*2: 250 ok
S: 250 flushed
S: 250 ok
S: 553 *
C: RSET
C: MAIL FROM:<#bad@client.example>
C: RCPT TO:<u@example.org>
S: 250 flushed
S*2: 250 ok

== lists: 20,000 lines
control rcpthosts \{20000:host.of.many.example\n}last.example
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@last.example>
C: RCPT TO:<u@first.example>
S*2: 250 ok
S: 553 *

== no rcpthosts: no recipient with a domain is taken
control rcpthosts
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<u@mx.example.org>
C: RCPT TO:<postmaster>
S: 250 ok
S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
S: 250 ok
LOG: qmail-smtpd[*]: *no control/rcpthosts*

== no rcpthosts: RELAYCLIENT opens it for this client
control rcpthosts
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 250 ok

== no rcpthosts: SMTPD_OPEN_RELAY=1 opens it for all, and is logged
control rcpthosts
env SMTPD_OPEN_RELAY=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 250 ok
LOG: qmail-smtpd[*]: *no control/rcpthosts*SMTPD_OPEN_RELAY*

== no rcpthosts: SMTPD_OPEN_RELAY=0 and nothing open nothing
control rcpthosts
env SMTPD_OPEN_RELAY=0
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 *

== with rcpthosts SMTPD_OPEN_RELAY opens nothing
env SMTPD_OPEN_RELAY=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 *

== the log shows no byte as it came
control databytes 1
env TCPREMOTEIP=192.0.2.7\r\n\x1b[2J\xe4
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: text
C: .
S: 552 *
LOG: qmail-smtpd[*]: DATABYTES exceeded [192.0.2.7*]

== nor the name of a queue program
env QMAILQUEUE=/nonexistent/\x1b[2J\nqueue
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 451 unable to exec qq (#4.3.0)
LOG: qmail-smtpd[*]: *queue*

== too many hops are logged
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: \{100:Received: x\r\n}\r\n.\r\n
S: 554 too many hops*
LOG: qmail-smtpd[*]: too many hops [192.0.2.7]

== GREETDELAY: the greeting waits
env GREETDELAY=1
C: NOOP
S: 220 *
S: 250 ok

== 2: DROP_PRE_GREET: one who talks before the greeting is dropped
env DROP_PRE_GREET=1
C: HELO early
S: 554 SMTP protocol violation
EOF
STATUS: 1

== DROP_PRE_GREET: one who waits is not
env DROP_PRE_GREET=1
env GREETDELAY=1
S: 220 *
C: HELO patient
S: 250 *

== GREETDELAY=0 and DROP_PRE_GREET=0 are none, greetdelay is not looked for
env GREETDELAY=0
env DROP_PRE_GREET=0
S: 220 *
END
dialogues "$work/controls.txt"
cat >"$work/beside.txt" <<'END'
== greetdelay is found beside smtpd
env GREETDELAY=1
env PATH=/nonexistent
S: 220 *
END
dialogues "$work/beside.txt" -- "$bin/smtpd"

if grep -q '^0*1 ' /proc/net/if_inet6 2>/dev/null; then
	cat >"$work/ipv6.txt" <<-'END'
	control localiphost example.org
	== 17: an IPv6 literal of ours
	S: 220 *
	C: MAIL FROM:<>
	C: RCPT TO:<u@[IPv6:::1]>
	C: RCPT TO:<u@[ipv6:0:0:0:0:0:0:0:1]>
	C: RCPT TO:<u@[IPv6:2001:db8::1]>
	C: RCPT TO:<u@[::1]>
	S*3: 250 ok
	S: 553 *
	S: 553 *
	C: DATA
	S: 354 *
	C: .
	S: 250 ok * qp *
	E: F\0Tu@example.org\0Tu@example.org\0\0
	END
	dialogues "$work/ipv6.txt"
else
	ok 'no IPv6 here # SKIP'
fi

# From here on with a control folder of our own.
mkdir "$work/control" "$work/queue"
TCPREMOTEIP=192.0.2.7
CONTROLDIR=$work/control
QUEUE_DIR=$work/queue
QMAILQUEUE=$tests/queue-stub
export CONTROLDIR QUEUE_DIR QMAILQUEUE TCPREMOTEIP

# controls: all of them, as they should be
controls() {
	rm -rf "$CONTROLDIR"
	mkdir "$CONTROLDIR"
	echo mx.example.org >"$CONTROLDIR/me"
	printf 'mx.example.org' >"$CONTROLDIR/smtpgreeting"
	printf 'example.org\nlast.example' >"$CONTROLDIR/rcpthosts"
}
# recipient ADDRESS…: the last replies to a session that names them
recipients() {
	{
		printf 'MAIL FROM:<>\r\n'
		printf 'RCPT TO:<%s>\r\n' "$@"
		printf 'QUIT\r\n'
	} | smtpd 2>"$work/log" | tr -d '\r' | sed '/^220/d; /^250 ok$/d'
}

controls
is "$(recipients u@last.example)" '221 mx.example.org' \
	'a last line without a line end counts'

for name in me smtpgreeting localiphost timeoutsmtpd databytes badmailfrom \
	rcpthosts morercpthosts.cdb; do
	controls
	rm -f "$CONTROLDIR/$name"
	mkdir "$CONTROLDIR/$name"
	is "$(recipients u@example.org)" \
		'421 unable to read controls (#4.3.0)' \
		"57: control/$name is a folder"
	like "$(cat "$work/log")" \
		"^qmail-smtpd\[[0-9]+\]: .*control/$name: .+" 'which is logged'
	rmdir "$CONTROLDIR/$name"
	echo 1 >"$CONTROLDIR/$name"
	chmod 0 "$CONTROLDIR/$name"
	if [ -r "$CONTROLDIR/$name" ]; then
		ok "control/$name that may not be read # SKIP root reads all"
	else
		is "$(recipients u@example.org)" \
			'421 unable to read controls (#4.3.0)' \
			"57: control/$name may not be read"
	fi
done

controls
smtpd -x </dev/null >"$work/replies" 2>"$work/log"
is "$?$(cat "$work/replies")" 100 'an unknown option is exit code 100'
like "$(cat "$work/log")" 'usage: smtpd' 'with a word of usage'
is "$(printf 'QUIT\r\n' | smtpd mx.example checkpassword true |
	tr -d '\r')" '220 mx.example.org ESMTP
221 mx.example.org' 'the arguments of old run scripts are no matter'

# morercpthosts.cdb: keys are domains and .suffixes in lower case.
printf '+%d,0:%s->\n' 12 more.example 13 .wild.example >"$work/more"
echo >>"$work/more"
cdb -c "$work/more.cdb" "$work/more"
not_ours="553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
controls
cp "$work/more.cdb" "$CONTROLDIR/morercpthosts.cdb"
is "$(recipients u@MORE.example u@a.Wild.example u@b.a.wild.example \
	u@example.org)" '221 mx.example.org' '49: domains of morercpthosts.cdb'
is "$(recipients u@a.more.example u@wild.example u@other.example)" \
	"$not_ours
$not_ours
$not_ours
221 mx.example.org" '49: and others'
rm "$CONTROLDIR/rcpthosts"
is "$(recipients u@more.example)" "$not_ours
221 mx.example.org" 'without rcpthosts it is not looked at'
SMTPD_OPEN_RELAY=1 recipients u@other.example >"$work/open"
is "$(cat "$work/open")" '221 mx.example.org' 'nor with SMTPD_OPEN_RELAY'

# A damaged one: no crash, no relaying, a soft error where it shows.
controls
size=$(wc -c <"$work/more.cdb")
cut=0
problem=
while [ "$cut" -lt "$size" ]; do
	head -c "$cut" "$work/more.cdb" >"$CONTROLDIR/morercpthosts.cdb"
	got=$(recipients u@other.example)
	case $got in
	"$not_ours"* | '421 unable to read controls (#4.3.0)') ;;
	*) problem="cut to $cut bytes: $got" ;;
	esac
	cut=$((cut + (cut < 2040 ? 97 : 3)))
done
is "$problem" '' '57: morercpthosts.cdb cut anywhere'
: >"$CONTROLDIR/morercpthosts.cdb"
is "$(recipients u@more.example)" '421 unable to read controls (#4.3.0)' \
	'57: an empty one'
perl -e 'print "\xff" x 2048, "x" x 100' >"$CONTROLDIR/morercpthosts.cdb"
is "$(recipients u@more.example)" '421 unable to read controls (#4.3.0)' \
	'57: one that points behind its end'
problem=
for seed in $(seq 60); do
	perl -e 'srand shift; local $/; $_ = <STDIN>;
		substr($_, rand length, 1) = chr rand 256 for 1 .. 200; print' \
		"$seed" <"$work/more.cdb" >"$CONTROLDIR/morercpthosts.cdb"
	got=$(recipients u@other.example u@more.example)
	case $got in
	"$not_ours"* | '421 unable to read controls (#4.3.0)') ;;
	*) problem="$problem seed $seed: $got" ;;
	esac
done
is "$problem" '' '57: morercpthosts.cdb with random bytes in it'

# Case 60: 3 MB, which is not enough for a sanitizer, nor for our perl, nor for
# the system's shared libraries.
if [ -z "${SANITIZE:-}" ] && command -v softlimit >/dev/null &&
	! is_dynamic "$bin/smtpd"; then
	controls
	printf '#!/bin/sh\nwhile read -r line; do :; done\n' >"$work/take"
	chmod 755 "$work/take"
	{
		printf 'MAIL FROM:<>\r\n'
		for n in 1 2 3 4 5 6 7 8 9; do
			printf 'RCPT TO:<u%d@example.org>\r\n' $n
		done
		printf 'DATA\r\n'
		perl -e 'print "a line of text\r\n" x 20000'
		printf '.\r\nQUIT\r\n'
	} >"$work/said"
	QMAILQUEUE=$work/take softlimit -m 3000000 smtpd <"$work/said" 2>&1 |
		tail -n 2 >"$work/replies"
	like "$(head -n 1 "$work/replies")" '^250 ok [0-9]* qp' \
		'60: a message under softlimit -m 3000000'
	like "$(tail -n 1 "$work/replies")" '^221' 'and the session goes on'
else
	ok '60: softlimit # SKIP'
fi
# softlimit -f, which a child meets.
controls
mkdir -p "$work/Maildir/new" "$work/Maildir/tmp" "$work/Maildir/cur"
{
	printf '%s\r\n' 'MAIL FROM:<>' 'RCPT TO:<u@example.org>' DATA
	perl -e 'print "a line of text\r\n" x 20000'
	printf '.\r\nQUIT\r\n'
} >"$work/said"
(
	ulimit -f 100
	QMAILQUEUE=$bin/queue-maildir QUEUE_MAILDIR=$work/Maildir exec smtpd \
		<"$work/said" 2>/dev/null
) | tail -n 2 | tr -d '\r' >"$work/replies"
is "$(cat "$work/replies")" '451 qq write error or disk full (#4.3.0)
221 mx.example.org' '60: a limit on files that a child meets'

done_testing
