#!/bin/sh
# The chain under load when its processes are killed, whatever they are doing:
# smtpd, and behind it what filters and stores a message, one process in its turn.
# What was acknowledged is stored, and nothing is there that is not whole.
# KILLS=1000 makes it longer, SEED repeats one, as far as that goes.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/peers/chain.sh"
. "$tests/daemons.sh"
prepare_chain
seed=${SEED:-$(date +%s)}
kills=${KILLS:-60}
echo "# seed $seed"
unset QUEUE_MAILDIR QUEUEDIR CLAMD_SOCKET FILTER_TIMEOUT FILTER_MAXSIZE FILTER_FAIL \
	FILTER_QUARANTINE SIMSCAN_DEBUG SIMSCAN_DEBUG_FILES

# start_chain PROGRAM…: what smtpd starts for a message
start_chain() {
	printf '#!/bin/sh\nexec %s\n' "$*" >"$work/queue"
	start_tcpserver "$work/log" -c 100 -- smtpd
}
nobody_is_left() {
	! pgrep -P "$server" >/dev/null
}
number() {
	sed -n "/^acknowledged/s/.*\\<$1 \\([0-9]*\\).*/\\1/p" "$work/found"
}

# survives NAME KIND FOLDER PROCESS…
survives() {
	survivor=$1 kind=$2 folder=$3
	shift 3
	mail-load -g -c 10 -s "$seed" -t "$survivor" "$port" "$work/notes.$survivor" &
	load=$!
	started="$started $load"
	wait_until test -s "$work/notes.$survivor"
	killed=$(reaper -s "$seed" "$kills" "$@")
	stop "$load"
	wait_until nobody_is_left || waited_in_vain 'the end of all sessions'
	mail-stored "$kind" "$folder" "$work/notes.$survivor" >"$work/found"
	code=$?
	echo "# $survivor: killed: $killed; $(tail -n 1 "$work/found")"
	is "$(echo "$killed" | tr ' ' '\n' | awk '/^[0-9]/ { n += $1; if (!$1) n -= 1e6 } END { print n }')" \
		"$kills" "$survivor: each was killed some times"
	[ "$(number acknowledged)" -gt 20 ]
	is $? 0 "$survivor: while messages were acknowledged"
	is "$code $(head -n 5 "$work/found" | grep -v '^acknowledged')" '0 ' \
		"$survivor: what was acknowledged is stored, once, and all that is stored is whole"
	mail-load -c 5 -n 2 -s 1 -t "$survivor.after" "$port" "$work/after" >"$work/found"
	is "$(grep -c '^250' "$work/after")" 10 "$survivor: and it goes on"
	rm "$work/after"
	stop "$server"
}

start_chain "$bin/queue-maildir -d $work/Maildir"
survives queue-maildir maildir "$work/Maildir" queue-maildir smtpd

# make_queue NAME: one as qmail's, $QUEUEDIR, with no qmail-send
make_queue() {
	QUEUEDIR=$work/$1
	export QUEUEDIR
	queue-check -u "$(id -un)" "$QUEUEDIR" >"$work/checked"
}
# is_collectable NAME: when it is old, what was left can be told from the rest
is_collectable() {
	find "$QUEUEDIR" -type f -exec touch -d '2 days ago' {} +
	queue-check -u "$(id -un)" "$QUEUEDIR" >"$work/checked"
	is $? 0 "$1: what is left is old at last, and queue-check removes it"
	mail-stored queue "$QUEUEDIR" "$work/notes.$1" >"$work/found"
	is "$? $(number garbage)" '0 0' "$1: and nothing else"
}
make_queue nameless
start_chain "$bin/qmail-queue"
survives qmail-queue queue "$QUEUEDIR" qmail-queue smtpd
is_collectable qmail-queue

# The same where every file has to have a name from its birth.
make_queue named
start_chain env UNSYNCED=nothing "$BUILD/unsynced/qmail-queue"
survives named queue "$QUEUEDIR" qmail-queue smtpd
is_collectable named

# shellcheck disable=SC2154 # from daemons.sh
if is_here clamd 'a filter in between'; then
	start_clamd
	make_queue filtered
	start_chain "$bin/filter-clamd -s $clamd_socket $bin/qmail-queue"
	survives filter-clamd queue "$QUEUEDIR" filter-clamd qmail-queue smtpd
fi
done_testing
