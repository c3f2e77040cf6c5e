#!/bin/sh
# queue-sendmail: what another mail system's command is given, and what its exit
# code becomes; with a program that notes it, and with msmtp in front of Postfix'
# smtp-sink.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from daemons.sh
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
. "$tests/daemons.sh"
unset ERROR_FD TMPDIR
export SEEN="$work/seen"
mkdir "$SEEN"

cat >"$work/sendmail" <<'END'
#!/bin/sh
[ $# -eq 0 ] || printf '[%s]' "$@" >"$SEEN/arguments"
cat >"$SEEN/message"
for fd in 3 4 5 6 7; do
	[ ! -e "/proc/$$/fd/$fd" ] || printf %s $fd
done >"$SEEN/files"
echo said
exit "${CODE:-0}"
END
chmod 755 "$work/sendmail"
# send ARGUMENT…: the program's words before ours
send() {
	rm -f "$SEEN"/*
	run queue-sendmail "$work/sendmail" "$@"
}
arguments() {
	cat "$SEEN/arguments"
}
# to SENDER RECIPIENT…: the words that it is given for them
to() {
	envelope "$@"
	send
	arguments
}

message 'Subject: hello' '' '.' 'text'
envelope s@example.org one@example.org two@example.net
send -C file
is "$code" 0 'a message is taken'
is "$(arguments)" '[-C][file][-i][-f][s@example.org][--][one@example.org][two@example.net]' 'its words'
same_file "$SEEN/message" "$work/message" 'its message'
like "$(cat "$work/log")" '^said$' 'what it says is for the log'
like "$(cat "$work/log")" '^queue-sendmail: sent qp [0-9]+ bytes [0-9]+ from <s@example.org> to <one@example.org> <two@example.net>$' 'one line of ours'
is "$(cat "$SEEN/files")" '' 'it does not hold the pipe for texts'
rm -f "$SEEN"/*
ERROR_FD=7 queue-sendmail "$work/sendmail" <"$work/message" 1<"$work/envelope" 2>"$work/log" 7>"$work/text" 4>&- 6>&-
is "$?$(cat "$SEEN/files")" 0 'nor on $ERROR_FD'
seq 1 400000 >"$work/message"
send
same_file "$SEEN/message" "$work/message" '2.7 MB'
# shellcheck disable=SC2002 # the pipe is what this is about
cat "$work/message" | queue-sendmail "$work/sendmail" 1<"$work/envelope" 2>"$work/log"
same_file "$SEEN/message" "$work/message" '2.7 MB from a pipe'
message x

# --- addresses: each stays one, and one that is no option
is "$(to '' r@example.org)" '[-i][-f][<>][--][r@example.org]' 'the empty sender'
is "$(to -bs@x -t@example.org)" '[-i][-f][-bs@x][--][-t@example.org]' 'what looks like options'
is "$(to s@x 'victim@example.com,u@example.org')" \
	'[-i][-f][s@x][--]["victim@example.com,u"@example.org]' 'two addresses are one'
is "$(to s@x 'a b@example.org' 'a"b\c@example.org' 'x@[192.0.2.1]')" \
	'[-i][-f][s@x][--]["a b"@example.org]["a\"b\\c"@example.org][x@[192.0.2.1]]' 'quoted where it has to be'
is "$(to '#@[]' postmaster)" '[-i][-f][#@[]][--][postmaster]' 'no domain'
for odd in '|/bin/sh' /etc/passwd ':include:/etc/passwd' "$(printf 'a\nb@example.org')" \
	'a@b,c' 'a@b c' 'a@b(c)' '' 'x y'; do
	envelope s@x r@example.org "$odd"
	send
	is "$code$(cat "$work/text")$(ls "$SEEN")" \
		'82Dno mail system takes that address (#5.1.3)' "refused: <$(printf %s "$odd" | tr '\n' '?')>"
done
envelope "$(printf 'a\tb@x')" r@example.org
send
is "$code$(ls "$SEEN")" 82 'refused: a sender with a tab'
envelope s@x
send
is "$code$(ls "$SEEN")" 0 'nobody to send it to: taken'
perl -e 'print "Fs\@x\0", map({ "T" . "r" x 300 . "$_\@example.org\0" } 1 .. 12000), "\0"' >"$work/envelope"
send
is "$code$(cat "$work/text")$(ls "$SEEN")" '82Dtoo many recipients (#5.5.3)' 'more of them than a command line holds'

# --- answers
envelope s@x r@example.org
got=
for each in 0 1 2 64 65 67 69 70 71 72 73 74 75 77 78 82 100 111 126 127 255; do
	CODE=$each send
	got="$got$each:$code "
done
is "$got" '0:0 1:31 2:31 64:31 65:31 67:31 69:31 70:71 71:71 72:71 73:71 74:71 75:71 77:31 78:71 82:31 100:31 111:71 126:71 127:71 255:31 ' 'exit codes'
like "$(cat "$work/log")" '^queue-sendmail: refused .*: exit code 255$' 'a refusal is logged'
run queue-sendmail sh -c 'kill -SEGV $$'
is "$code" 71 'a death: 71'
like "$(cat "$work/log")" '^queue-sendmail: deferred .*: killed by signal 11$' 'it is logged'
run queue-sendmail "$work/nonexistent"
is "$code" 120 'a program that is not there: 120'
run queue-sendmail -t 1 sh -c "sleep 100 & echo \$! >'$work/sleeper'; wait"
is "$code" 52 'one that hangs: 52'
wait_until sh -c "! kill -0 $(cat "$work/sleeper")"
is $? 0 'and is ended, with what it has started'
run queue-sendmail sh -c 'sleep 100 </dev/null >/dev/null 2>&1 & echo $! >"$SEEN/sleeper"'
is "$code" 0 'what it leaves behind is not waited for'
kill "$(cat "$SEEN/sleeper")"
run queue-sendmail true
is "$code" 0 'a program that reads nothing'
printf 'Fs@x\0Tr@example.org\0' >"$work/envelope"
send
is "$code$(cat "$work/log")$(ls "$SEEN")" 54 'the caller has gone: 54, and it is not run'
for wrong in '-t 0' '-t x' -z; do
	# shellcheck disable=SC2086 # words
	run queue-sendmail $wrong
	is "$code" 100 "wrong use: $wrong"
done

# --- a real one, in front of a real server
if is_here msmtp 'msmtp' && is_here smtp-sink 'smtp-sink'; then
	start_smtp_sink
	port=$smtp_sink_port
	message 'Subject: real' '' '.dots' '..' 'the end'
	envelope s@example.org "o'dd+one=x@example.org" two@example.net
	run queue-sendmail msmtp --host=127.0.0.1 --port="$port" --tls=off --auth=off
	is "$code" 0 'msmtp hands it on'
	wait_until grep -rq '^the end' "$smtp_sink_mail" || waited_in_vain 'the mail'
	cat "$smtp_sink_mail"/* >"$work/got"
	like "$(cat "$work/got")" '^X-Mail-Args: <s@example.org>' 'the sender'
	like "$(cat "$work/got")" '^X-Rcpt-Args: <o.dd\+one=x@example.org>' 'an odd recipient'
	like "$(cat "$work/got")" '^X-Rcpt-Args: <two@example.net>' 'a usual one'
	like "$(cat "$work/got")" '^\.dots$' 'the text'
	rm -f "$smtp_sink_mail"/*
	envelope '' two@example.net
	run queue-sendmail msmtp --host=127.0.0.1 --port="$port" --tls=off --auth=off
	is "$code" 0 'a bounce'
	wait_until grep -rq '^the end' "$smtp_sink_mail" || waited_in_vain 'the mail'
	like "$(cat "$smtp_sink_mail"/*)" '^X-Mail-Args: <>' 'its sender is empty'
	run queue-sendmail msmtp --host=127.0.0.1 --port=1 --tls=off --auth=off
	like "$code" '^(31|71)$' 'nobody at home: no success'
fi

done_testing
