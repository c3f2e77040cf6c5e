#!/bin/sh
# filter-clamd with a real clamd: what it finds, what it does not, each way to ask,
# and when it is away, hangs, is killed, or says what no clamd says.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2154 # for, and from, daemons.sh and filters.sh
. "$(dirname "$0")/../lib.sh"
. "$tests/daemons.sh"
. "$tests/filters.sh"
# For both the file and the stream: what is longer is too long.
start_clamd 'StreamMaxLength 4M' 'MaxFileSize 4M' 'AlertExceedsMax yes'
name=Local.Eicar.UNOFFICIAL
virus="DYour email was rejected because it contains the $name virus"
envelope s@example.org r@example.net 'R@example.net'

# virus FORM: a message that has EICAR's string
virus() {
	case $1 in
	plain) message plain '' "$(eicar)" ;;
	base64)
		message base64 'MIME-Version: 1.0' \
			'Content-Type: multipart/mixed; boundary=b' '' --b '' \
			text --b 'Content-Type: application/octet-stream' \
			'Content-Transfer-Encoding: base64' \
			'Content-Disposition: attachment; filename=sneaky.txt' '' \
			"$(eicar | base64)" --b--
		;;
	nested)
		virus base64
		mv "$work/message" "$work/inner"
		message nested 'MIME-Version: 1.0' \
			'Content-Type: multipart/mixed; boundary=a' '' --a '' \
			text --a 'Content-Type: message/rfc822' '' \
			"$(cat "$work/inner")" --a--
		;;
	esac
}

# softly COMMAND…: with 8 MB of memory
softly() {
	# shellcheck disable=SC3045 # dash has it
	ulimit -v 8192
	exec "$@"
}

# --- what it finds, each way to ask: both sockets, a file, a part of one, a pipe
for socket in "$clamd_socket" "127.0.0.1:$clamd_port"; do
	where=tcp
	[ "$socket" != "$clamd_socket" ] || where=unix
	for through in file offset pipe; do
		what="$where, $through"
		for form in plain base64 nested; do
			virus $form
			filter filter-clamd -s "$socket"
			refused_with 82 "$virus" "$what: EICAR, $form"
		done
		logged "VIRUS:[0-9]+\\.[0-9]{4}s:$name:.*:s@example.org:r@example.net,R@example.net" "$what: log"
		message clean
		filter filter-clamd -s "$socket"
		went_on "$what, clean"
		is "$(cat "$work/next.pid")" "$pid" "$what, clean: one process"
		logged "CLEAN:[0-9.]+s:-:.*:s@example.org:r@example.net,R@example.net" "$what, clean: log"
		# 20 kB: a file for clamd. 2 MB: a file for us.
		for length in 20000 2000000; do
			message long
			lengthen $length
			filter filter-clamd -s "$socket"
			went_on "$what, $length bytes"
			eicar >>"$work/message"
			filter filter-clamd -s "$socket"
			refused_with 82 "$virus" "$what, $length bytes: EICAR at the end"
		done
	done
done
is "$(ls -A "$work/scratch")" '' 'no file is left'
: >"$work/message"
for through in file pipe; do
	filter filter-clamd -s "$clamd_socket"
	went_on "no byte at all, $through"
done
# Its log has the names of files that it was given.
asked_with() {
	grep -c "$1.*FOUND" "$work/clamd/clamd.log"
}
virus plain
before=$(asked_with "$work/message")
through='file' filter filter-clamd -s "$clamd_socket"
is "$(asked_with "$work/message")" $((before + 1)) 'a file is given to clamd as it is'
before=$(asked_with memfd)
filter filter-clamd -s "$clamd_socket"
is "$(asked_with memfd)" "$before" 'a short message out of a pipe is none'
lengthen 20000
filter filter-clamd -s "$clamd_socket"
is "$(asked_with memfd)" $((before + 1)) 'but a longer one becomes one'
through='file'

# --- settings
virus plain
CLAMD_SOCKET=$clamd_socket filter filter-clamd
refused_with 82 "$virus" CLAMD_SOCKET
through=pipe filter filter-clamd -s "$clamd_socket" -d
is "$code $(cat "$work/text")" '0 ' '-d: what is found is taken'
[ ! -e "$work/next.pid" ]
is $? 0 '-d: and goes nowhere'
logged "VIRUS DROPPED:[0-9.]+s:$name:.*" '-d: log'
mkdir "$work/kept" "$work/kept.dir" "$work/kept.dir/new" "$work/kept.dir/tmp"
filter filter-clamd -s "$clamd_socket" -q "$work/kept"
refused_with 82 "$virus" '-q: refused'
sed '/^X-Quarantine\|^X-Envelope/d' "$work/kept"/* >"$work/got"
same_file "$work/got" "$work/message" '-q: and kept'
FILTER_QUARANTINE=$work/kept.dir filter filter-clamd -s "$clamd_socket"
is "$(find "$work/kept.dir/new" -type f | wc -l)" 1 'in a Maildir, too'
filter filter-clamd -s "$clamd_socket" -m 100
is "$code $(sed -n 1p "$work/next.message")" \
	'0 X-Filter-Skipped: filter-clamd (too long)' '-m: longer messages pass, and are marked'
logged 'UNSCANNED:[0-9.]+s:too long:.*' '-m: log'
sed 1d "$work/next.message" >"$work/got"
same_file "$work/got" "$work/message" '-m: with nothing else changed'
filter filter-clamd -s "$clamd_socket" -m 10000
refused_with 82 "$virus" '-m: shorter ones are scanned'
for wrong in '-t 0' '-t x' '-m -1' -z; do
	# shellcheck disable=SC2086 # options
	filter filter-clamd $wrong -- </dev/null
	like "$code $(tail -n 1 "$work/log")" '^100 filter-clamd: usage: ' "wrong use: $wrong"
done

# --- clamd's own limits
message huge
lengthen 5000000
eicar >>"$work/message"
filter filter-clamd -s "127.0.0.1:$clamd_port"
is "$code $(sed -n 1p "$work/next.message")" \
	'0 X-Filter-Skipped: filter-clamd (too long for clamd)' 'a stream that clamd does not take'
filter filter-clamd -s "$clamd_socket"
refused_with 82 'DYour email cannot be scanned for viruses within the limits here (#5.7.1)' \
	'a file that is beyond its limits'
logged 'VIRUS:[0-9.]+s:Heuristics.Limits.Exceeded.*' 'beyond its limits: log'
filter filter-clamd -l -s "$clamd_socket"
like "$code $(sed -n 1p "$work/next.message")" \
	'^0 X-Filter-Skipped: filter-clamd \(Heuristics.Limits.Exceeded' 'which passes with -l'

# --- domains
virus plain
if is_here simscanmk 'settings of a domain'; then
	for case in 'example.net:clam=no:0' 'example.net:clam=yes:82' ':clam=no:0' \
		'example.com:clam=yes:0'; do
		echo "${case%:*}" >"$work/control/simcontrol"
		simscanmk
		filter filter-clamd -s "$clamd_socket"
		is "$code" "${case##*:}" "simcontrol ${case%:*}"
	done
	rm "$work/control"/simcontrol*
fi

# --- as a client sees it
chain filter-clamd -s "$clamd_socket"
is "$(smtp smtpd)" "554 ${virus#D}" 'smtpd: a virus'
is "$(RELAYCLIENT='' smtp smtpd)" "554 ${virus#D}" 'smtpd: a virus of our own user'
chain filter-clamd -s "$work/nowhere"
is "$(smtp smtpd)" '451 qq trouble making network connection (#4.3.0)' 'smtpd: no clamd'
if is_here mailfront 'mailfront'; then
	chain filter-clamd -s "$clamd_socket"
	mailfront='mailfront smtp qmail accept'
	export RELAYCLIENT=''
	# shellcheck disable=SC2086 # words
	like "$(smtp $mailfront)" '^554 ' 'mailfront: a virus'
	message clean
	# shellcheck disable=SC2086
	like "$(smtp $mailfront)" '^250 ' 'mailfront: none'
	is "$(sed '/^Received/,/^From/{/^From/!d;}' "$work/next.message" | head -n 1)" \
		'From: Sender <s@example.org>' 'mailfront: it went on'
	chain filter-clamd -s "$work/nowhere"
	# shellcheck disable=SC2086
	like "$(smtp $mailfront)" '^451 ' 'mailfront: no clamd'
	unset RELAYCLIENT
fi
message clean
chain filter-clamd -s "$clamd_socket"
like "$(smtp smtpd)" '^250 ok [0-9]+ qp [0-9]+$' 'smtpd: no virus'
like "$(cat "$work/log")" ":$(cat "$work/next.pid")\$" 'smtpd: its qp is that of the log'

# --- without a verdict: never a pass, unless that is wanted
virus plain
no_verdict 56 'cannot connect to clamd, file does not exist' 'no socket' \
	filter filter-clamd -s "$work/nowhere"
FILTER_FAIL=open filter filter-clamd -s "$work/nowhere"
is "$code" 0 'FILTER_FAIL=open'
FILTER_FAIL=open filter filter-clamd -s "$work/nowhere" -x
is "$code" 56 '-x comes before it'
no_verdict 56 'cannot connect to clamd, connection refused' 'no port' \
	filter filter-clamd -s "127.0.0.1:$(free_port)"
fake 'clamd says nothing' 'nothing' say ''
fake 'clamd says fd.12._ OK' 'a cut answer' say 'fd[12]: OK'
fake 'clamd says fd.12._ OK' 'two answers' say 'fd[12]: OK\0fd[12]: OK\0'
fake 'clamd says fd.12._ .\?.2J ERROR' 'an error with control characters' say 'fd[12]: [\033[2J ERROR\0'
fake 'clamd says COMMAND READ TIMED OUT' 'its time-out' say 'COMMAND READ TIMED OUT\n'
fake 'clamd says 220 smtp.example.org' 'another server' early '220 smtp.example.org\n'
fake "clamd answers too much" 'an endless answer' flood 'fd[12]: '
fake_how=drip fake_text='fd[12]: Slow FOUND\0'
filter_fake
refused_with 82 'DYour email was rejected because it contains the Slow virus' 'an answer in pieces'
fake_text='fd[12]: Much.Too.Late.To.Count FOUND\0' fake_seconds=1
no_verdict 52 'clamd does not answer' 'an answer that is too slow' filter_fake
fake_how=hold fake_text='fd[12]: OK\0'
filter_fake
went_on 'an answer that is not hung up after'
unset fake_seconds

# --- hung, killed, stopped
virus plain
daemon_hangs
virus plain
filter filter-clamd -s "$clamd_socket"
refused_with 82 "$virus" 'it goes on'
daemon_is_killed 'clamd says nothing'
daemon_is_stopped
start_clamd
virus plain
filter filter-clamd -s "$clamd_socket"
refused_with 82 "$virus" 'and back'

# --- 100 MB, in less than 8 MB of memory
stop "$clamd"
start_clamd 'StreamMaxLength 200M' 'MaxFileSize 200M' 'MaxScanSize 200M' 'MaxScanTime 0'
message huge
lengthen 100000000
if is_plain '100 MB'; then
	for socket in "$clamd_socket" "127.0.0.1:$clamd_port"; do
		filter softly filter-clamd -s "$socket"
		went_on "100 MB in 8 MB, $socket"
		logged 'CLEAN:.*' "100 MB, $socket: log"
	done
fi

# --- what is no message at all
client_has_gone

# --- a server that cannot be one
no_server
done_testing
