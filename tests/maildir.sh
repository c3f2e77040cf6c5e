# What the tests of queue-maildir share; read in after lib.sh.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh

# envelope SENDER RECIPIENT…: into $work/envelope
envelope() {
	{
		printf 'F%s\0' "$1"
		shift
		for address; do printf 'T%s\0' "$address"; done
		printf '\0'
	} >"$work/envelope"
}

# message LINE…: into $work/message, below a Received field as smtpd writes it,
# which is another one each time.
received=0
message() {
	received=$((received + 1))
	{
		printf 'Received: from client.example (HELO client)\n'
		printf '  by server.example with SMTP; attempt %d\n' $received
		for line; do printf '%s\n' "$line"; done
	} >"$work/message"
}

# maildirs NAME…: empty ones, $work/NAME
maildirs() {
	for maildir; do
		rm -rf "${work:?}/$maildir"
		mkdir -p "$work/$maildir/tmp" "$work/$maildir/new" "$work/$maildir/cur"
	done
}

# run [COMMAND…]: the message and envelope given to queue-maildir, or to what
# the command makes of it. Its exit code is in $code, its log in $work/log, the
# custom text in $work/text.
run() {
	[ $# -gt 0 ] || set -- queue-maildir
	: >"$work/text"
	code=0
	# The outer redirection is for what the shell has to say of a signal.
	# shellcheck disable=SC2034 # for the caller
	{
		("$@" <"$work/message" 1<"$work/envelope" 2>"$work/log" 6>"$work/text" 4>&-) || code=$?
	} 2>/dev/null
}

# files FOLDER…: how many are in there
files() {
	for folder; do ls -A "$work/$folder"; done | wc -l
}

# content FILE: without the three lines on top
content() {
	sed '1,3d' "$1"
}

# delivered NAME RECIPIENT: the number of whole copies in new/ and cur/; a file
# that is not whole makes it "broken".
delivered() {
	copies=0
	for file in "$work/$1"/new/* "$work/$1"/cur/*; do
		[ -f "$file" ] || continue
		grep -qx "Delivered-To: $2" "$file" || continue
		content "$file" | sed 1,2d >"$work/got"
		sed 1,2d "$work/message" | cmp -s - "$work/got" || {
			echo broken
			return
		}
		copies=$((copies + 1))
	done
	echo "$copies"
}
