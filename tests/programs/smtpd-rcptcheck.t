#!/bin/sh
# smtpd and the program of RCPTCHECK: what it is told, what its exit code and its
# text mean, and what becomes of one that crashes, hangs, talks nonsense or is not
# there. RCPTCHECK as a flag: smtpd-local.t.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

RCPTCHECK=$work/check
TCPREMOTEIP=192.0.2.7
CONTROLDIR=$work/control
export RCPTCHECK TCPREMOTEIP CONTROLDIR
mkdir "$CONTROLDIR"
echo mx.example.org >"$CONTROLDIR/me"
echo example.org >"$CONTROLDIR/rcpthosts"

# check: the program is standard input
check() {
	{
		echo '#!/bin/sh'
		cat
	} >"$work/check.new"
	chmod 755 "$work/check.new"
	mv "$work/check.new" "$work/check"
}
# session ADDRESS…: the replies to RCPT; $work/log and $work/code
session() {
	{
		printf 'HELO client.example\r\nMAIL FROM:<s@client.example>\r\n'
		printf 'RCPT TO:<%s>\r\n' "$@"
		printf 'QUIT\r\n'
	} | smtpd 2>"$work/errors" >"$work/replies"
	echo $? >"$work/code"
	sed 's/^qmail-smtpd\[[0-9]*\]: //' "$work/errors" >"$work/log"
	tr -d '\r' <"$work/replies" | sed '/^22[01] /d' | sed 1,2d
}
# says EXIT-CODE TEXT REPLY NAME: TEXT for printf
says() {
	check <<-END
	printf '$2' >&4
	exit $1
	END
	is "$(session u@example.org)" "$3" "$4"
}
# ends EXIT-CODE TEXT REPLY NAME: and the session ends
ends() {
	says "$@"
	is "$(cat "$work/code") $(tail -n 1 "$work/replies" | tr -d '\r')" \
		"1 $3" 'and the session ends'
}
# logged WANTED NAME
logged() {
	is "$(cat "$work/log")" "$1" "$2"
}

# Exit codes.
says 0 '' '250 ok' 'exit 0 accepts'
says 1 '' '250 ok' 'and so does 1'
says 99 '' '250 ok' 'and 99'
says 112 '' '250 ok' 'and 112: nothing to say'
says 100 '' '553 no mailbox here by that name' 'exit 100'
logged '' 'of which the log has nothing'
says 111 '' '450 unable to verify recipient' 'exit 111'
ends 113 '' '421 you have exceeded your messaging limits (#4.3.0)' 'exit 113'
ends 120 '' '421 unable to execute recipient check (#4.3.0)' 'exit 120'
logged "$RCPTCHECK: exit 120, and no answer" 'which is logged'
check <<'END'
case $RECIPIENT in bad*) exit 100 ;; esac
END
is "$(session bad@example.org good@example.org bad-2@example.org)" \
	'553 no mailbox here by that name
250 ok
553 no mailbox here by that name' 'each recipient is asked for'

# Texts.
says 100 '550 no such user (#5.1.1)\r\n' '550 no such user (#5.1.1)' \
	'a text takes the place of the usual one'
logged 'RCPTCHECK error: 550 no such user (#5.1.1)' 'and is logged'
says 100 '452 mailbox is full' '452 mailbox is full' 'also a temporary one'
says 111 '451 try later\n' '451 try later' 'of exit 111'
says 111 '550 gone' '550 gone' 'also a permanent one'
ends 100 '421 enough' '421 enough' '421 is a text that ends the session'
says 113 '450 come back tomorrow' '450 come back tomorrow' \
	'exit 113 with a text'
ends 113 '421 come back tomorrow' '421 come back tomorrow' 'or with that'
says 0 '550 no' '250 ok' 'the text of exit 0 is no reply'
logged 'RCPTCHECK error: 550 no' 'but is logged'
for text in '250 ok' '354 go ahead' 'no such user' '55 no' '5x0 no' '550no' 550 \
	'550-no' '600 no' ' 550 no'; do
	says 100 "$text" '553 sorry, no mailbox here by that name. (#5.1.1)' \
		"\"$text\" with exit 100"
	says 111 "$text" '450 unable to verify recipient' "or 111"
done
logged 'RCPTCHECK error:  550 no' 'and the text is in the log'
says 100 '550 no\r\n250 ok\r\n550 no\n\n' '550 no  250 ok  550 no' \
	'line ends would begin replies of their own'
logged 'RCPTCHECK error: 550 no  250 ok  550 no' 'and lines of their own'
says 100 '550 \001\033[2J\344\000x' '550 ??[2J? x' 'bytes that are not fit for a reply'
logged 'RCPTCHECK error: 550 ??[2J? x' 'nor for a log'
check <<'END'
perl -e 'print STDERR "x"; open my $out, ">&=", 4; print $out "550 ", "x" x 100000'
exit 100
END
session u@example.org >"$work/out"
is "$(wc -c <"$work/out")" 511 'a reply has no more than 512 bytes'
like "$(cat "$work/out")" '^550 x+\.\.\.$' 'the rest of the text is cut off'

# What it is told.
check <<'END'
env | grep -E '^(SENDER|RECIPIENT|HELO|USE_FD4|RCPTHOSTS|TCPREMOTEIP)=' | sort
END
# told ADDRESS: in the log, as its standard output is
told() {
	session "$1" >/dev/null
	tr '\n' ' ' <"$work/log"
}
unset RCPTHOSTS
is "$(told U-x@Example.org)" \
	'HELO=client.example RCPTHOSTS=1 RECIPIENT=U-x@Example.org SENDER=s@client.example TCPREMOTEIP=192.0.2.7 USE_FD4=1 ' \
	'its environment'
is "$(RELAYCLIENT=@relay told u@elsewhere.example)" \
	'HELO=client.example RECIPIENT=u@elsewhere.example@relay SENDER=s@client.example TCPREMOTEIP=192.0.2.7 USE_FD4=1 ' \
	'of our own clients, with what is appended'
is "$(RELAYCLIENT='' told u@example.org)" \
	'HELO=client.example RCPTHOSTS=1 RECIPIENT=u@example.org SENDER=s@client.example TCPREMOTEIP=192.0.2.7 USE_FD4=1 ' \
	'and whether it is one of ours'
is "$(SENDER=x RECIPIENT=x HELO=x USE_FD4=0 told u)" \
	'HELO=client.example RECIPIENT=u SENDER=s@client.example TCPREMOTEIP=192.0.2.7 USE_FD4=1 ' \
	'in place of what was there'
is "$(printf 'MAIL FROM:<>\r\nRCPT TO:<u@example.org>\r\n' | smtpd 2>&1 >/dev/null |
	grep -E '^(SENDER|HELO)=' | sort | tr '\n' ' ')" 'HELO= SENDER= ' \
	'an empty sender, and no HELO'
check <<'END'
read -r line && echo "stdin: $line"
printf "$# arguments, descriptors"
# 10 is the script
for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e "/proc/$$/fd/$fd" ] && printf " $fd"; done
echo
END
is "$(told u@example.org)" '0 arguments, descriptors 0 1 2 4 ' \
	'no input, no arguments, and no other descriptor'

# Who is not asked for.
check <<'END'
echo asked
exit 100
END
is "$(told u@elsewhere.example)$(told '')" '' 'refused by another rule: not asked for'
is "$(RELAYCLIENT='' session u@elsewhere.example)" \
	'553 no mailbox here by that name' 'those of our own clients are'
is "$(RELAYCLIENT='' RCPTCHECKRELAYCLIENT=0 session u@elsewhere.example)" \
	'250 ok' 'with RCPTCHECKRELAYCLIENT=0 not'
is "$(RCPTCHECKRELAYCLIENT=0 session u@example.org)" \
	'553 no mailbox here by that name' 'but others are'
is "$(RELAYCLIENT='' RCPTCHECKRELAYCLIENT=1 session u@elsewhere.example)" \
	'553 no mailbox here by that name' 'and with RCPTCHECKRELAYCLIENT=1 all'
printf '+15,0:bad@example.org->\n\n' >"$work/records"
if is_here cdb 'not one that validrcptto.cdb does not have'; then
	cdb -c "$work/valid.cdb" "$work/records"
	is "$(VALIDRCPTTO_CDB=$work/valid.cdb session u@example.org \
		bad@example.org | cut -c 1-18 | tr '\n' ' ')" \
		'553 sorry, this re 553 no mailbox her ' \
		'not one that validrcptto.cdb does not have'
fi

# What goes wrong.
check <<'END'
kill -SEGV $$
END
is "$(session u@example.org)" '421 unable to execute recipient check (#4.3.0)' \
	'a crash'
logged "$RCPTCHECK: crashed" 'which is logged'
check <<'END'
echo '550 no' >&4
kill -TERM $$
END
is "$(session u@example.org)" '421 unable to execute recipient check (#4.3.0)' \
	'also of one that had an answer'
is "$(RCPTCHECK=$work/none session u@example.org)" \
	'421 unable to execute recipient check (#4.3.0)' 'no such program'
logged "unable to run $work/none: file does not exist" 'which is logged'
chmod 644 "$work/check"
is "$(session u@example.org)" '421 unable to execute recipient check (#4.3.0)' \
	'one that may not be run'
is "$(RCPTCHECK=$work session u@example.org)" \
	'421 unable to execute recipient check (#4.3.0)' 'a folder'
check <<'END'
exec sleep 1000
END
SMTPD_HELPER_TIMEOUT=1
export SMTPD_HELPER_TIMEOUT
timed session u@example.org v@example.org >"$work/out"
is "$(cat "$work/out")" '450 unable to verify recipient
450 unable to verify recipient' 'one that hangs'
is_at_most 10000 'is killed in time'
logged "$RCPTCHECK: killed, too late
$RCPTCHECK: killed, too late" 'which is logged'
unset SMTPD_HELPER_TIMEOUT
check <<'END'
sleep 1000 >/dev/null 2>&1 &
echo $! >"${0%/*}/child"
exit 0
END
timed session u@example.org >"$work/out"
kill "$(cat "$work/child")"
is "$(cat "$work/out")" '250 ok' 'one that leaves a child with descriptor 4'
is_at_most 10000 'is not waited for'

# The replies before it need not wait for it.
check <<'END'
case $RECIPIENT in slow*) exec sleep 1000 ;; esac
END
cat >"$work/slow.txt" <<END
env RCPTCHECK=$RCPTCHECK
env SMTPD_HELPER_TIMEOUT=5
== replies do not wait for the program
limit 4
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<slow@example.org>
S*2: 250 ok
CLOSE
END
dialogue "$work/slow.txt" >"$work/out" 2>&1
unlike "$(cat "$work/out")" 'nothing came' 'replies do not wait for the program'

if can_trace 'no fork'; then
	check </dev/null
	got=$(printf 'MAIL FROM:<>\r\nRCPT TO:<u@example.org>\r\n' | strace -o "$work/trace" \
		-e trace=vfork,clone,clone3,fork \
		-e inject=vfork,clone,clone3,fork:error=EAGAIN smtpd 2>"$work/log" |
		tail -n 1 | tr -d '\r')
	is "$got" '421 unable to fork (#4.3.0)' 'no fork'
fi

done_testing
