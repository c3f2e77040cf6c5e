#!/bin/sh
# The SMTP server's conversations: the list of 60 cases. The number of a case
# stands before the title of each test that is about it. tests/dialogues/ has them,
# but for what the programs beside us have, or have in full:
#	smtpd-controls.t    2 DROP_PRE_GREET, 17 IPv6, 49 morercpthosts.cdb, 57, 60
#	smtpd-limits.t      13 by the 100,000, 23 by the megabyte, 32, 37
#	smtpd-recipients.t  13 MAXRCPT, 16 RELAYREJ, 18
#	smtpd-utf8.t        21 SMTPUTF8
#	smtpd-session.t     23, 35, 37 the limits
#	smtpd-data.t        27, 28: all pairs of what is around a dot
#	smtpd-attacks.t     27 and 56: the same in chunks
#	smtpd-auth.t        35 behind AUTH, 44 to 46
#	smtpd-auth-table.t  47
#	smtpd-starttls.t    40 to 43
#	smtpd-patterns.t    50, and 57 for its files
#	smtpd-queue.t       51 to 53
#	smtpd-validrcptto.t 54, and 57 for its table
#	smtpd-spf.t         55
# All others are in tests/dialogues/ alone: 1, 3 to 12, 14, 15, 19, 20, 22, 24 to
# 26, 29 to 31, 33, 34, 36, 38, 39, 48, 58 and 59.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

dialogues "$tests"/dialogues/*.txt
dialogues -a "$tests"/dialogues/*.txt
dialogues -b "$tests"/dialogues/*.txt
dialogues -s "$tests"/dialogues/30-split.txt

# The list above is true.
missing=
for number in $(seq 60); do
	grep -Eq "(== |'|\"|; |[0-9], )$number(, [0-9]+)*: " "$tests"/programs/smtpd-*.t \
		"$tests"/dialogues/*.txt || missing="$missing $number"
done
is "$missing" '' 'each of the 60 cases has a test'

done_testing
