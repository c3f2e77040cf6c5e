#!/bin/sh
# queue-discard: it takes what is whole, and keeps nothing.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"

message 'Subject: x'
envelope s@example.org r@example.org
run queue-discard
is "$code" 0 'a message is taken'
like "$(cat "$work/log")" "^queue-discard: discarded qp [0-9]+ bytes $(wc -c <"$work/message") from <s@example.org> to <r@example.org>\$" 'a line in the log'
envelope s@example.org
run queue-discard
is "$code" 0 'for nobody: taken, too'
printf 'Fs@example.org\0Tr@example.org\0' >"$work/envelope"
run queue-discard
is "$code$(cat "$work/log")" 54 'half of one is not'
printf 'nonsense' >"$work/envelope"
run queue-discard
is "$code" 91 'nor what is no envelope'
{
	printf 'Fs@example.org\0'
	yes Tr@example.org | head -n 400000 | tr '\n' '\0'
	printf '\0'
} >"$work/envelope"
run queue-discard
is "$code $(cat "$work/log")" '53 queue-discard: warning: the envelope has more than 4194304 bytes' 'nor one of 6 MB'
for wrong in -z word; do
	run queue-discard $wrong
	is "$code" 100 "wrong use: $wrong"
done

done_testing
