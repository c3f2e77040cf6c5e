/* Every reply of the SMTP server, so that one search finds the text and its
   reason. The texts are qmail's and its well-known patches' byte for byte:
   clients' logs, scripts and postmasters know them. None ends in CRLF here.
   Those of the queue program's exit codes stand in mail/queue_client.c.
   SPDX-License-Identifier: ISC */
#ifndef SMTPD_REPLIES_H
#define SMTPD_REPLIES_H

/* Completed by the greeting of control/smtpgreeting or control/me. */
#define REPLY_READY "220 "
#define REPLY_READY_END " ESMTP"
#define REPLY_HELO "250 "
#define REPLY_EHLO "250-"
#define REPLY_CLOSING "221 "

/* The extensions, RFC 1869 section 4.3; SIZE and LIMITS are completed by the
   number. */
#define REPLY_EHLO_STARTTLS "250-STARTTLS"
#define REPLY_EHLO_SIZE "250-SIZE "
#define REPLY_EHLO_LIMITS "250-LIMITS RCPTMAX="
#define REPLY_EHLO_XCLIENT                                                     \
	"250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"
#define REPLY_EHLO_ENHANCED "250-ENHANCEDSTATUSCODES"
#define REPLY_EHLO_PIPELINING "250-PIPELINING"
#define REPLY_EHLO_CHUNKING "250-CHUNKING"
#define REPLY_EHLO_UTF8 "250-SMTPUTF8"
#define REPLY_EHLO_8BITMIME "250 8BITMIME"

#define REPLY_OK "250 ok"
/* Enhanced status codes for it behind MAIL and RCPT, RFC 3463. */
#define REPLY_CODE_SENDER "2.1.0"
#define REPLY_CODE_RECIPIENT "2.1.5"
#define REPLY_FLUSHED "250 flushed"
#define REPLY_HELP "214 qmail home page: http://pobox.com/~djb/qmail.html"
#define REPLY_HELP_FIRST "214-qmail home page: http://pobox.com/~djb/qmail.html"
#define REPLY_HELP_VERSION                                                     \
	"214 jms1 combined patch v7.08 "                                       \
	"http://qmail.jms1.net/patches/combined.shtml"
#define REPLY_WILL_TRY "252 send some mail, i'll try my best"
#define REPLY_GO_AHEAD "354 go ahead"
/* "250 ok UNIX-TIME qp PID": the pid finds the message in every log. */
#define REPLY_QUEUED "250 ok "
#define REPLY_QUEUED_BY " qp "

/* Commands out of order, or not understood. */
#define REPLY_UNIMPLEMENTED "502 unimplemented (#5.5.1)"
#define REPLY_MAIL_FIRST "503 MAIL first (#5.5.1)"
#define REPLY_RECIPIENT_FIRST "503 RCPT first (#5.5.1)"
#define REPLY_ONE_MAIL_ONLY "503 only one MAIL command allowed (#5.5.1)"
#define REPLY_ADDRESS_SYNTAX "555 syntax error (#5.5.4)"
#define REPLY_SIZE_SYNTAX "501 syntax error in SIZE (#5.5.4)"
#define REPLY_BODY_SYNTAX "501 syntax error in BODY (#5.5.4)"
#define REPLY_UTF8_SYNTAX "501 syntax error in SMTPUTF8 (#5.5.4)"
#define REPLY_UTF8_NEEDED "553 that address needs SMTPUTF8 (#5.6.7)"
#define REPLY_LINE_TOO_LONG "500 line too long (#5.5.2)"
#define REPLY_LINE_HAS_NUL "500 NUL in a command (#5.5.2)"

/* STARTTLS. */
#define REPLY_TLS_READY "220 ready for tls"
#define REPLY_TLS_DENIED "454 TLS not available (4.3.0)"
#define REPLY_TLS_STARTED "454 TLS not available: TLS already active (4.3.0)"
#define REPLY_TLS_ALWAYS "454 TLS not available: already SSL secured (4.3.0)"
#define REPLY_TLS_ARGUMENT "501 Syntax error (no parameters allowed) (#5.5.4)"
#define REPLY_TLS_FIRST "503 STARTTLS first (#5.5.1)"

/* XCLIENT. */
#define REPLY_XCLIENT_SYNTAX "501 syntax error in XCLIENT (#5.5.4)"
#define REPLY_XCLIENT_IN_MAIL "503 no XCLIENT during mail transaction (#5.5.1)"

/* AUTH. LOGIN's questions are "Username:" and "Password:" in base64. */
#define REPLY_EHLO_AUTH "250-AUTH "
#define REPLY_EHLO_AUTH_OLD "250-AUTH="
#define REPLY_AUTH_USERNAME "334 VXNlcm5hbWU6"
#define REPLY_AUTH_PASSWORD "334 UGFzc3dvcmQ6"
#define REPLY_AUTH_CONTINUE "334 "
#define REPLY_AUTH_DONE "235 ok, go ahead (#2.0.0)"
#define REPLY_AUTH_FAILED "535 authorization failed (#5.7.0)"
#define REPLY_AUTH_TWICE "503 you're already authenticated (#5.5.0)"
#define REPLY_AUTH_IN_MAIL "503 no auth during mail transaction (#5.5.0)"
#define REPLY_AUTH_ABSENT "503 auth not available (#5.3.3)"
#define REPLY_AUTH_TYPE "504 auth type not available (#5.5.1)"
#define REPLY_AUTH_CANCELLED "501 auth exchange cancelled (#5.0.0)"
#define REPLY_AUTH_MALFORMED "501 malformed auth input (#5.5.4)"
#define REPLY_AUTH_CHILD                                                       \
	"454 oops, problem with child and I can't auth (#4.3.0)"
#define REPLY_AUTH_NO_START                                                    \
	"454 oops, child won't start and I can't auth (#4.3.0)"
#define REPLY_AUTH_NO_PIPE                                                     \
	"454 oops, unable to open pipe and I can't auth (#4.3.0)"
#define REPLY_AUTH_FIRST "503 AUTH first (#5.5.1)"
#define REPLY_AUTH_NEEDED "530 authentication needed"
#define REPLY_AUTH_NEEDS_TLS                                                   \
	"538 Encryption required for requested authentication mechanism"

/* BDAT. */
#define REPLY_CHUNK_SYNTAX "501 syntax error in BDAT (#5.5.4)"
#define REPLY_CHUNK_FAILED "503 an earlier chunk has failed (#5.5.1)"
#define REPLY_CHUNKS_BEGUN "503 BDAT has begun (#5.5.1)"

/* Policy. */
#define REPLY_BAD_SENDER                                                       \
	"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"
#define REPLY_SENDER_DENIED                                                    \
	"553 sorry, your envelope sender has been denied (#5.7.1)"
#define REPLY_RECIPIENT_DENIED                                                 \
	"553 sorry, your envelope recipient has been denied (#5.7.1)"
#define REPLY_HELO_DENIED                                                      \
	"553 sorry, your HELO host name has been denied (#5.7.1)"
#define REPLY_NO_SENDER_DOMAIN                                                 \
	"553 sorry, your envelope sender domain must exist (#5.7.1)"
#define REPLY_DNS_FAILURE "451 DNS temporary failure (#4.3.0)"
#define REPLY_SPF_FAILURE "451 SPF lookup failure (#4.3.0)"
#define REPLY_NULL_MX                                                          \
	"550 sorry, your envelope sender domain takes no mail (#5.7.27)"
#define REPLY_RBL_FAILURE "451 unable to ask the DNS lists (#4.3.0)"
/* The explanation stands between; of all its lines but the last one before. */
#define REPLY_SPF_CONTINUED "550-"
#define REPLY_SPF "550 "
#define REPLY_SPF_END " (#5.7.1)"
#define REPLY_RELAY_SIGN "553 we don't relay (#5.7.1)"
#define REPLY_NOT_IN_TABLE                                                     \
	"553 sorry, this recipient is not in my validrcptto list (#5.7.1)"
#define REPLY_TOO_MANY_STRANGERS                                               \
	"421 too many invalid addresses, goodbye (#4.3.0)"

/* A plugin's; which one and why stands between. */
#define REPLY_PLUGIN_FAILURE "451 qmail-spp failure: "
#define REPLY_PLUGIN_FAILURE_END " (#4.3.0)"

/* RCPTCHECK's program. */
#define REPLY_NO_MAILBOX "553 no mailbox here by that name"
#define REPLY_CANNOT_VERIFY "450 unable to verify recipient"
#define REPLY_NO_MAILBOX_OTHER                                                 \
	"553 sorry, no mailbox here by that name. (#5.1.1)"
#define REPLY_CLIENT_HAS_SENT_ALL                                              \
	"421 you have exceeded your messaging limits (#4.3.0)"
#define REPLY_NO_RECIPIENT_PROGRAM                                             \
	"421 unable to execute recipient check (#4.3.0)"
#define REPLY_NO_FORK "421 unable to fork (#4.3.0)"

/* qmail-ldap's; those that end in a blank are completed. */
#define REPLY_NO_MX "554 refused mailfrom because return MX does not exist"
#define REPLY_MX_FAILURE                                                       \
	"421 DNS temporary failure at return MX check, try again later "       \
	"(#4.3.0)"
#define REPLY_NO_BOUNCES "554 RFC2821 bounces are administratively denied"
#define REPLY_ONE_BOUNCE_RECIPIENT                                             \
	"550 sorry, I don't accept bounce messages with more than one "        \
	"recipient. Go read RFC2821. (#5.7.1)"
#define REPLY_SENDER_WITHOUT_AT                                                \
	"554 mailfrom without @ is administratively denied"
#define REPLY_SENDER_WITHOUT_PART                                              \
	"554 mailfrom without user or domain part is administratively denied"
#define REPLY_SENDER_WITHOUT_DOT                                               \
	"554 mailfrom without . in domain part is administratively denied"
#define REPLY_SENDER_NOT_LOCAL                                                 \
	"554 refused mailfrom because valid local sender address required"
/* qmail-verify's, which it asks LDAP for. */
#define REPLY_NO_ACCOUNT "554 Sorry, no mailbox here by that name. (#5.1.1)"
#define REPLY_NO_ACCOUNTS                                                      \
	"451 temporary lookup failure, try again later (#4.3.0)"
/* The client's IP address stands between. */
#define REPLY_RELAY_PROBE "553 sorry, we don't relay for ["
#define REPLY_RELAY_PROBE_END "] (#5.7.1)"
#define REPLY_RBL "553 sorry, your mailserver ["
#define REPLY_RBL_END "] is rejected by "
/* 553 in qmail-ldap, from which clients conclude that the recipient is bad; this
   one makes them send the rest later (RFC 5321 section 4.5.3.1.10). */
#define REPLY_ACCEPTED_LIMIT "452 sorry, too many recipients (#4.5.3)"
#define REPLY_EXECUTABLE                                                       \
	"552 we don't accept email with this MIME content (#5.3.4)"

#define REPLY_NOT_OUR_DOMAIN                                                   \
	"553 sorry, that domain isn't in my list of allowed rcpthosts "        \
	"(#5.7.1)"
/* The client's certificate; the cause stands between. */
#define REPLY_NO_CLIENT_CERT "553 no valid cert for gatewaying (#5.7.1)"
#define REPLY_NO_CLIENT_CERT_CAUSE "553 no valid cert for gatewaying: "
#define REPLY_NO_CLIENT_CERT_END " (#5.7.1)"
#define REPLY_TOO_MANY_RECIPIENTS "452 too many recipients (#4.5.3)"
#define REPLY_TOO_BIG                                                          \
	"552 sorry, that message size exceeds my databytes limit (#5.3.4)"
#define REPLY_LOOPING "554 too many hops, this message is looping (#5.4.6)"

/* Followed by what mail/queue_client.h says of the queue program. */
#define REPLY_QUEUE_REFUSES "554 "
#define REPLY_QUEUE_DEFERS "451 "
#define REPLY_NO_QUEUE_PROGRAM "451 qqt failure (#4.3.0)"

/* 550GREETING, which has the code 554 in qmail-ldap, too, and 421GREETING; the
   name of this machine and a text follow. */
#define REPLY_GREETING_554 "554 "
#define REPLY_GREETING_554_USUAL                                               \
	"Sorry, your mail was administratively denied. (#5.7.1)"
#define REPLY_GREETING_421 "421 "
#define REPLY_GREETING_421_USUAL "Service temporarily not available (#4.3.2)"
#define REPLY_NO_SERVICE "421 Service temporarily not available (#4.3.2)"
#define REPLY_BAD_SEQUENCE "503 bad sequence of commands (#5.5.1)"

/* The session ends after these. */
#define REPLY_BARE_LF "451 See http://pobox.com/~djb/docs/smtplf.html."
#define REPLY_TIMEOUT "451 timeout (#4.4.2)"
#define REPLY_NO_CONTROLS "421 unable to read controls (#4.3.0)"
#define REPLY_NO_MEMORY "421 out of memory (#4.3.0)"
#define REPLY_NO_OWN_ADDRESSES                                                 \
	"421 unable to figure out my IP addresses (#4.3.0)"
#define REPLY_TLS_FORCED_AND_DENIED                                            \
	"421 FORCE_TLS and DENY_TLS both found (#4.3.0)"
#define REPLY_TLS_PIPELINED "554 no commands behind STARTTLS (#5.5.1)"
#define REPLY_NO_AUTH_TABLE "421 cannot read AUTH_CDB file"
#define REPLY_NO_AUTH_PROGRAM "421 REQUIRE_AUTH set without valid AUTH program."
#define REPLY_NO_CRAM "421 ALLOW_CRAM not available"
#define REPLY_NO_SCRAM "421 ALLOW_SCRAM not available"
#define REPLY_AUTH_MISUSED "421 wrong arguments for AUTH (#4.3.5)"
#define REPLY_AUTH_TOO_OFTEN "421 too many authentication failures (#4.7.0)"
#define REPLY_TOO_MANY_ERRORS "421 too many errors (#4.7.0)"
#define REPLY_NO_GREETDELAY "421 unable to run greetdelay (#4.3.0)"

#endif
