#!/bin/sh
# make run: the whole chain started by its script, with a first message in a
# Maildir; again beside itself; stopped by the signals a person or a supervisor
# sends; and the service folder that it leaves behind started once more.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need swaks flock pgrep openssl

export BUILD
cd "$work" || exit 1

# start NAME COMMAND…: its output in NAME.out, its pid in $run. It hears SIGINT,
# which this shell has ignored for a background job.
start() {
	name=$1
	shift
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$@" >"$name.out" 2>&1 &
	run=$!
	started="$started $run"
	wait_for_line "$name.out" '^Ctrl-C stops it' || cat "$name.out"
}
# start_run NAME [VARIABLE=VALUE…]
start_run() {
	name=$1
	shift
	start "$name" env "$@" sh "$top/scripts/run"
}
said() {
	sed -n "s/$2/\\1/p" "$1.out" | head -n 1
}
port_of() {
	said "$1" '^listening on 127\.0\.0\.1:\([0-9]*\), delivering to .*'
}
folder_of() {
	said "$1" '^listening on [^ ]* delivering to \(.*\)\/Maildir$'
}
is_closed() {
	! swaks --silent 3 --server "127.0.0.1:$1" --quit-after CONNECT
}

start_run first
first=$run
like "$(cat first.out)" '^    [0-9]* > 250 ok [0-9]+ qp [0-9]+' \
	'the line of the log is shown'
like "$(cat first.out)" '^    Subject: the first message' \
	'so is the file that arrived'
like "$(cat first.out)" 'with TLS_[A-Z0-9_]+ encrypted SMTP; ' 'by way of TLS'
like "$(cat first.out)" '^    450 GREYLIST Try again later\.$' \
	'somebody else is told to come again'
like "$(cat first.out)" '^    jgreylist\[[0-9]+\]: 127\.0\.0\.2: GREY first time$' \
	'and logged'
like "$(cat first.out)" '^    553 A rule says no to 127\.0\.0\.3$' \
	'somebody whom a rule refuses is told so'
like "$(cat first.out)" '^    rblsmtpd: 127\.0\.0\.3 pid [0-9]+: 553 A rule says no' \
	'and logged'
is "$(cd run/greylist && find . -type f)" ./127/000/000 \
	'the greylist has an entry for the one alone'
is "$(folder_of first)" "$work/run" 'the folder is ./run'
is "$(find run/Maildir/new -type f | wc -l | tr -d ' ')" 1 \
	'one message is in the Maildir'

start_run second
is "$(folder_of second)" "$work/run-2" 'a second run takes a folder of its own'
unlike "$(port_of second)" "^$(port_of first)\$" 'and another port'

# What it says to send another with.
said first '^send another:  \(.*\)' >send
sh ./send >send.out 2>&1
is $? 0 'the command that it prints sends a message'
is "$(find run/Maildir/new -type f | wc -l | tr -d ' ')" 2 'which arrives'
said first '^ *or:  \(.*\)' >send
sh ./send >send.out 2>&1
is $? 0 'so does the other one'
is "$(find run/Maildir/new -type f | wc -l | tr -d ' ')" 3 'and it arrives'

kill -TERM "$run"
wait "$run"
is $? 0 'SIGTERM stops it cleanly'
wait_until is_closed "$(port_of second)"
is $? 0 'and its port is closed'
kill -INT "$first"
wait "$first"
is $? 0 'so does SIGINT'
wait_until is_closed "$(port_of first)"
is $? 0 'and that port is closed too'

# The service folder stands for itself.
./run/run >again.log 2>&1 &
again=$!
started="$started $again"
wait_for_line again.log '^[0-9]+$'
again_port=$(grep -m 1 -E '^[0-9]+$' again.log)
swaks --silent 3 --server "127.0.0.1:$again_port" --to again@example.org
is $? 0 "the folder's own run script starts the same service"
is "$(find run/Maildir/new -type f | wc -l | tr -d ' ')" 4 'which delivers'
stop "$again"

start_run chosen RUN_DIR="$work/anna's service" PORT="$again_port"
is "$(folder_of chosen)" "$work/anna's service" 'RUN_DIR names the folder'
is "$(port_of chosen)" "$again_port" 'PORT names the port'
out=$(RUN_DIR="$work/anna's service" sh "$top/scripts/run" 2>&1)
is "$?" 1 'a folder in use by another run is refused'
like "$out" 'in use by another run' 'with a clear message'
out=$(PORT=$again_port sh "$top/scripts/run" 2>&1)
is "$?" 1 'so is a port in use'
like "$out" 'unable to bind: address already used' 'with the cause'
kill -HUP "$run"
wait "$run"
is $? 0 'SIGHUP stops it cleanly'

# A supervisor's signal reaches make alone, and make hands it on to its child.
start made make -C "$top" -o all RUN_DIR="$work/made" run
for pid in $(pgrep -P "$run"); do
	started="$started $pid $(pgrep -P "$pid")"
done
kill -TERM "$run"
wait "$run"
wait_until is_closed "$(port_of made)"
is $? 0 'SIGTERM to make stops the chain too'

done_testing
