/* queue-lmtp: the end of a chain whose messages go to a store that speaks LMTP
   (RFC 2033), as Dovecot does, while the client waits: what the store says is what
   the client hears, so nothing is bounced. Started for every message, as
   qmail-queue is: the message is on descriptor 0, the envelope on descriptor 1,
   the exit code is the answer. The store answers for each recipient, and there is
   one answer to give: see mail/smtp_delivery.h; smtpd's MAXRCPTCOUNT of 1 ends it.
   SPDX-License-Identifier: ISC */

#include <stdlib.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "mail/smtp_delivery.h"
#include "mail/stage.h"

enum { LMTP_PORT = 24 };

static const char synopsis[] = "queue-lmtp [ -c seconds ] [ -h name ] "
			       "[ -t seconds ] server ...";

static void read_settings(struct smtp_delivery *delivery, int argc, char **argv)
{
	int letter;

	while ((letter = option_next(argc, argv, "c:h:t:", synopsis)) != -1) {
		if (letter == 'h') delivery->name = optarg;
		if (letter == 'c')
			delivery->connect_seconds = option_number(
				letter, 1, SMTP_DELIVERY_SECONDS_LIMIT,
				synopsis);
		if (letter == 't')
			delivery->seconds = option_number(
				letter, 1, SMTP_DELIVERY_SECONDS_LIMIT,
				synopsis);
	}
	delivery->servers = argv + optind;
	if (!smtp_delivery_is_usable(delivery)) die_usage(synopsis);
}

int main(int argc, char **argv)
{
	struct smtp_delivery delivery = {
		.default_port = LMTP_PORT,
		.protocol = SMTP_CLIENT_LMTP,
		.open = smtp_delivery_open_plainly,
		.seconds = SMTP_DELIVERY_SECONDS,
		.connect_seconds = SMTP_DELIVERY_CONNECT_SECONDS,
	};
	static struct stage stage;
	enum queue_exit_code code;

	program_name = "queue-lmtp";
	argv = option_words("QUEUE_LMTP", &argc, argv);
	read_settings(&delivery, argc, argv);
	stage_start();
	code = stage_take(&stage);
	if (code == QUEUE_DONE) code = smtp_delivery_run(&delivery, &stage);
	return (int)code;
}
