# What the tests of queue-smtp and queue-lmtp share, behind maildir.sh's envelope,
# message and run: servers that follow a script, and what every program that hands
# messages on has to make of them.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154 # from lib.sh and maildir.sh

unset QUEUE_SMTP QUEUE_LMTP ERROR_FD TMPDIR DNSCACHEIP
export CONTROLDIR="$work/control"
mkdir "$work/control"
echo us.example >"$work/control/me"
next_server=
# The command without its servers; a test may set another one.
hand_on=${0##*/}
hand_on=${hand_on%.t}

# serves LINE…: tests/smtp-server with that script, in place of the last one; it
# listens on $port, what it hears is in $work/said, messages are $work/kept/1 …
serves() {
	[ -z "$next_server" ] || stop "$next_server"
	rm -rf "$work/kept"
	mkdir "$work/kept"
	printf '%s\n' "$@" >"$work/script"
	start_server "$work/said" smtp-server -o "$work/kept" "$work/script"
	next_server=$server
}
# heard: what the server has heard in whole connections
heard() {
	wait_until grep -qx end "$work/said"
	sed -n 's/^C: //p' "$work/said"
}
# text: what the client is told
text() {
	cat "$work/text"
}
# hands_on CODE TEXT NAME [SERVER…]: the exit code, and a regular expression for
# the whole text. $hand_on is the command without its servers.
hands_on() {
	hands_on_code=$1
	hands_on_text=$2
	hands_on_name=$3
	shift 3
	[ $# -gt 0 ] || set -- "127.0.0.1:$port"
	# shellcheck disable=SC2086 # a command
	run $hand_on "$@"
	is "$code" "$hands_on_code" "$hands_on_name: exit $hands_on_code"
	like "$(text)" "^$hands_on_text\$" "$hands_on_name: the text"
}
# logs REGULAR-EXPRESSION NAME
logs() {
	like "$(cat "$work/log")" "$1" "$2"
}

# everything_goes_wrong HELLO: at each step of a conversation a server that hangs,
# goes away, resets, or says junk.
everything_goes_wrong() {
	wrong_hello=$1
	message 'Subject: x' '' text
	envelope s@example.net r@example.org
	for wrong_step in greeting hello mail rcpt data message; do
		wrong_way sleep 72 'timed out'
		wrong_way close 74 'the connection ended'
		# A connection may be reset before it is seen to stand.
		[ $wrong_step = greeting ] ||
			wrong_way reset 74 'the connection ended'
		wrong_way 'S: hello?' 74 'junk'
		wrong_way 'S: 250 a\0b' 74 'junk'
		wrong_way 'S: 150 wait' 74 'junk'
		wrong_way 'S: 250-a\r\n251 b' 74 'junk'
		wrong_way 'fill 3000000' 74 'junk'
		wrong_way 'noise 3000000' 74 'junk'
	done
	for wrong_step in mail rcpt message; do
		wrong_way 'S: 354 go on' 74 junk
	done
	wrong_step=greeting
	wrong_way 's: 2' 72 'timed out'
	wrong_step=data
	wrong_way 'S: 250 ok' 74 junk
	wrong_way 'S: 354 go\r\n250 and have' 74 junk
}
# A script up to $wrong_step, which does that instead.
wrong_way() {
	wrong_lines=
	for wrong_line in 'greeting|S: 220 hi' "hello|C: $wrong_hello|S: 250 hi" \
		'mail|C: MAIL|S: 250 ok' 'rcpt|C: RCPT|S: 250 ok' \
		'data|C: DATA|S: 354 go' 'message|D|S: 250 ok'; do
		[ "${wrong_line%%|*}" != "$wrong_step" ] || break
		wrong_lines="$wrong_lines|${wrong_line#*|}"
	done
	wrong_line=${wrong_line#*|}
	case $wrong_line in *'|'*) wrong_lines="$wrong_lines|${wrong_line%|*}" ;; esac
	wrong_ifs=$IFS
	IFS='|'
	# shellcheck disable=SC2086 # parts between the bars
	set -- "$@" ${wrong_lines#|}
	IFS=$wrong_ifs
	wrong_what=$1 wrong_code=$2 wrong_reason=$3
	shift 3
	serves "$@" "$wrong_what"
	# shellcheck disable=SC2086 # a command
	timed run $hand_on -t 1 "127.0.0.1:$port"
	is "$code" "$wrong_code" "$wrong_step: $wrong_what: exit $wrong_code"
	logs "deferred .*$wrong_reason" "$wrong_step: $wrong_what: why"
	is_at_most 3000 "$wrong_step: $wrong_what: in time"
}
