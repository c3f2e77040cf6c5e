#!/bin/sh
# The SMTP server's conversations: the list of 60 cases, as dialogue files named
# after their numbers. Of the list, what belongs to parts that come later: 35
# after AUTH, 37 a limit, 43 (tlsd), 44 to 47 (AUTH). In other files: 13 over
# MAXRCPT and 16 RELAYREJ (smtpd-recipients.t), 21 (smtpd-utf8.t), 27's whole
# table (smtpd-data.t), 40 to 42 (smtpd-starttls.t), 51 to 53 (smtpd-queue.t), 54
# (smtpd-validrcptto.t), 55 (smtpd-spf.t), 57 and 60 (smtpd-controls.t).
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

dialogues "$tests"/dialogues/*.txt
dialogues -a "$tests"/dialogues/*.txt
dialogues -b "$tests"/dialogues/*.txt
dialogues -s "$tests"/dialogues/30-split.txt

done_testing
