# What the tests of filters that ask a daemon share; read in after lib.sh and
# daemons.sh.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for the tests; from lib.sh

unset ERROR_FD CLAMD_SOCKET SPAMD_SOCKET RSPAMD_SOCKET FILTER_TIMEOUT FILTER_MAXSIZE \
	FILTER_FAIL FILTER_QUARANTINE SIMSCAN_DEBUG SIMSCAN_DEBUG_FILES QS_SPAMASSASSIN
CONTROLDIR=$work/control
TMPDIR=$work/scratch
export CONTROLDIR TMPDIR
mkdir "$work/control" "$work/scratch"

# The next stage: it keeps what it is given, and its pid.
cat >"$work/next" <<'END'
#!/bin/sh
echo $$ >"$CHAINMAIL_TEST/next.pid"
cat >"$CHAINMAIL_TEST/next.message"
cat <&1 >"$CHAINMAIL_TEST/next.envelope"
END
chmod 755 "$work/next"

# envelope SENDER RECIPIENT…: into $work/envelope
envelope() {
	{
		printf 'F%s\0' "$1"
		shift
		for address; do printf 'T%s\0' "$address"; done
		printf '\0'
	} >"$work/envelope"
}

# message SUBJECT [LINE…]: into $work/message, with LINEs for its body
message() {
	{
		printf '%s\n' 'Received: from client.example (HELO client)' \
			'  by server.example with SMTP; 21 Nov 2026 10:00:00 -0000' \
			'From: Sender <s@example.org>' 'To: r@example.net' \
			"Subject: $1" 'Date: Sat, 21 Nov 2026 10:00:00 +0000' \
			'Message-ID: <1@client.example>'
		[ $# -gt 1 ] || set -- "$1" '' hello
		shift
		printf '%s\n' "$@"
	} >"$work/message"
}
# lengthen BYTES: lines of text are added to the message
lengthen() {
	yes 'and so it goes on, with nothing that anybody would look for' |
		head -c "$1" >>"$work/message"
	echo >>"$work/message"
}

# filter COMMAND…: the message through the command, whose next program is known.
# $through is the way that it comes: file, pipe, or offset, a file that begins with
# something else. The exit code is in $code, the text in $work/text, the log in
# $work/log, the pid in $pid; what the next one got in $work/next.*.
through='file'
filter() {
	rm -f "$work"/next.*
	: >"$work/text"
	code=0
	[ "$through" != offset ] ||
		echo 'not a part of it' | cat - "$work/message" >"$work/behind"
	case $through in pipe) cat "$work/message" ;; esac | {
		case $through in
		file) exec <"$work/message" ;;
		offset)
			exec <"$work/behind"
			dd bs=1 count=17 of=/dev/null 2>/dev/null
			;;
		esac
		sh -c 'echo $PPID >"$0"' "$work/pid"
		case $1 in softly) ;; *) set -- exec "$@" ;; esac
		"$@" "$work/next" 1<"$work/envelope" 2>"$work/log" \
			6>"$work/text" 4>&-
	} || code=$?
	pid=$(cat "$work/pid")
}

# went_on NAME: the next program has got message and envelope as they were
went_on() {
	is "$code $(cat "$work/text")" '0 ' "$1: passes"
	same_file "$work/next.message" "$work/message" "$1: message"
	same_file "$work/next.envelope" "$work/envelope" "$1: envelope"
}
# refused_with CODE TEXT NAME
refused_with() {
	is "$code $(cat "$work/text")" "$1 $2" "$3"
	[ ! -e "$work/next.pid" ]
	is $? 0 "$3: nothing went on"
}
# logged REGULAR-EXPRESSION NAME: what follows the program's name
logged() {
	like "$(cat "$work/log")" "^filter-[a-z]+:\\[[0-9]+\\]:$1:$pid\$" "$2"
	is "$(wc -l <"$work/log")" 1 "$2: one line"
}

# has_connected PID: the filter has a socket
has_connected() {
	find "/proc/$1/fd" -lname 'socket:*' 2>/dev/null | grep -q .
}
# filter_meanwhile WHAT COMMAND…: as filter, but WHAT is done when it has asked
filter_meanwhile() {
	meanwhile=$1
	shift
	rm -f "$work/pid"
	{
		wait_until test -s "$work/pid" &&
			wait_until has_connected "$(cat "$work/pid")"
		eval "$meanwhile"
	} >/dev/null 2>&1 &
	filter "$@"
	wait $!
}

# start_fake HOW TEXT: tests/fake-daemon on $fake_socket
start_fake() {
	fake_socket=$work/fake
	rm -f "$fake_socket"
	fake-daemon "$fake_socket" "$1" "$2" &
	fake=$!
	started="$started $fake"
	wait_until test -S "$fake_socket"
}
# filter_with_fake HOW TEXT COMMAND…: one that stands behind -s
filter_with_fake() {
	start_fake "$1" "$2"
	shift 2
	filter "$@"
	stop "$fake"
}

# field NAME: of what the next one got
field() {
	sed -n '/^$/q; p' "$work/next.message" | grep -ai "^$1:" | sed 's/^[^:]*: *//'
}

# --- for filter-NAME.t, which is about the daemon NAME

scanner=${0##*/filter-}
scanner=${scanner%.t}

# no_verdict CODE REASON NAME COMMAND…: with -x, and with -o, which marks the
# message and leaves it as it was, but for marks that it had no right to
no_verdict() {
	wanted=$1 reason=$2 what=$3
	shift 3
	"$@"
	refused_with "$wanted" '' "$what"
	logged "ERROR:[0-9.]+s:$reason:.*" "$what: log"
	"$@" -o
	is "$code" 0 "$what, -o: passes"
	like "$(sed -n 1p "$work/next.message")" \
		"^X-Filter-Skipped: filter-$scanner \\($reason\\)\$" "$what, -o: is marked"
	sed 1d "$work/next.message" >"$work/got"
	grep -v '^X-Spam:' "$work/message" >"$work/wanted"
	same_file "$work/got" "$work/wanted" "$what, -o: message"
}
# filter_fake: with a daemon that answers $fake_text as $fake_how says
# shellcheck disable=SC2120 # no_verdict has arguments for it
filter_fake() {
	filter_with_fake "$fake_how" "$fake_text" "filter-$scanner" \
		-t "${fake_seconds:-20}" "$@" -s "$work/fake"
}
# fake REASON NAME HOW TEXT: an answer that is none
fake() {
	fake_how=$3 fake_text=$4
	no_verdict 71 "$1" "$2" filter_fake
}

# The daemon's pid and sockets, which are others when it has been started again.
daemon() {
	eval "echo \"\$$scanner\""
}
socket_of() {
	case $1 in
	unix) eval "echo \"\$${scanner}_socket\"" ;;
	tcp) eval "echo \"127.0.0.1:\$${scanner}_port\"" ;;
	esac
}
# The daemon is there and does nothing; then it goes on.
daemon_hangs() {
	hang "$(daemon)"
	for where in unix tcp; do
		no_verdict 52 "$scanner does not answer" "hung, $where" \
			filter "filter-$scanner" -t 1 -s "$(socket_of $where)"
	done
	message long
	lengthen 4000000
	for where in unix tcp; do
		timed filter "filter-$scanner" -m 0 -t 1 -s "$(socket_of $where)"
		is "$code" 52 "hung while it is sent a long message, $where"
		is_at_least 1000 "$where: not before its time"
		is_at_most 8000 "$where: nor long after it"
	done
	resume "$(daemon)"
}
# daemon_is_killed REASON: while it has the message; then it is started again
daemon_is_killed() {
	for where in unix tcp; do
		hang "$(daemon)"
		[ $where = unix ] || lengthen 4000000
		filter_meanwhile "kill_all $(daemon)" \
			"filter-$scanner" -m 0 -t 20 -s "$(socket_of $where)"
		refused_with 71 '' "killed, $where"
		logged "ERROR:[0-9.]+s:($1|cannot hear $scanner, connection reset( by peer)?):.*" \
			"killed, $where: log"
		"start_$scanner"
	done
}
daemon_is_stopped() {
	stop "$(daemon)"
	for where in unix tcp; do
		filter "filter-$scanner" -m 0 -s "$(socket_of $where)"
		refused_with 56 '' "stopped, $where"
	done
}
# Half an envelope: nobody is asked, and nothing is logged.
client_has_gone() {
	printf 'Fs@example.org\0' >"$work/envelope"
	filter "filter-$scanner" -s "$(socket_of unix)"
	is "$code $(cat "$work/log")" '54 ' 'a client that went away'
}

# What names no server would be passed over by -o, for ever.
no_server() {
	message hello
	for wrong in host:x host:0 host:65536 [::1 '' a/b; do
		filter "filter-$scanner" -o -s "$wrong"
		is "$code $(cat "$work/log")" \
			"55 filter-$scanner: fatal: $scanner is to be a socket's path or host:port, not $wrong" "-s $wrong"
	done
	variable=$(echo "$scanner" | tr '[:lower:]' '[:upper:]')_SOCKET
	filter env "$variable=127.0.0.1:x" "filter-$scanner" -o
	is "$code" 55 "$variable"
}

# smtp SERVER…: the message given to an SMTP server, as a client would; its answer
# to the message. The chain is what $work/chain is.
chain() {
	printf '#!/bin/sh\nexec %s %s/next\n' "$*" "$work" >"$work/chain"
	chmod 755 "$work/chain"
}
smtp() {
	rm -f "$work"/next.*
	echo server.example >"$work/control/me"
	echo example.net >"$work/control/rcpthosts"
	{
		printf '%s\r\n' 'HELO client.example' 'MAIL FROM:<s@example.org>' \
			'RCPT TO:<r@example.net>' DATA
		sed 's/^\./../; s/$/\r/' "$work/message"
		printf '%s\r\n' . QUIT
	} | env QMAILQUEUE="$work/chain" PROTO=TCP TCPREMOTEIP=127.0.0.1 \
		TCPLOCALIP=127.0.0.1 QMAILHOME="$work" "$@" 2>"$work/log" |
		tr -d '\r' | sed -n '/^354/{n;p;}'
}
