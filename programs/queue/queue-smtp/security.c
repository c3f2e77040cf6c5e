/* SPDX-License-Identifier: ISC */
#include "security.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "system/deadline.h"
#include "system/helper.h"

enum {
	DATA_FD = 8,
	REPORT_FD = 9,
	FREE_FD = 10, /* neither of those, nor what texts go to */
	REPORT_ROOM = 512,
	NUMBER_ROOM = sizeof "-2147483648",
};

static const char no_tls[] = "Zno TLS with the mail server (#4.7.5)";
static const char no_login[] =
	"Zthe mail server does not take our login (#4.7.0)";

/* What tlsc reports begins with this when there is TLS. */
static const char success[] = "ok ";

/* The report is whole when tlsc closes its pipe. */
static void read_report(int fd, deadline end, char report[REPORT_ROOM])
{
	size_t length = 0;

	while (length < REPORT_ROOM - 1 && deadline_wait(fd, POLLIN, end) > 0) {
		ssize_t n = read(fd, report + length, REPORT_ROOM - 1 - length);

		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) break;
		length += (size_t)n;
	}
	report[length] = '\0';
	report[strcspn(report, "\n")] = '\0';
}

/* tlsc holds the connection, and closes all else that it inherits: whoever waits
   for our end must not wait for it. */
static int start_tlsc(const struct smtp_delivery *delivery,
		      struct helper *helper)
{
	const struct security *security = delivery->settings;
	int network = fcntl(delivery->client.fd, F_DUPFD, FREE_FD);
	unsigned left = (unsigned)deadline_left(delivery->share) / 1000;
	char connection[NUMBER_ROOM], seconds[NUMBER_ROOM];
	const char *words[] = { "tlsc", "-c", connection, "-d",    "8",
				"-r",   "9",  "-t",       seconds, NULL,
				NULL,   NULL, NULL,       NULL,    NULL };
	struct helper_plan plan = {
		.arguments = words,
		.talk_fd = DATA_FD,
		.output_fd = REPORT_FD,
		.seconds = left,
	};
	size_t count = 9;
	int result;

	if (network < 0) return -1;
	snprintf(connection, sizeof connection, "%d", network);
	snprintf(seconds, sizeof seconds, "%u", left > 0 ? left : 1);
	if (!delivery->place.path) {
		words[count++] = "-n";
		words[count++] = delivery->place.host;
	}
	if (security->policy != TLS_VERIFY) {
		words[count++] = "-i";
	} else if (security->authority) {
		words[count++] = "-A";
		words[count++] = security->authority;
	}
	result = helper_start(helper, &plan);
	close(network);
	return result;
}

static enum smtp_step fail(struct smtp_delivery *delivery, const char *what,
			   const char *cause)
{
	char reason[REPORT_ROOM + 100];

	snprintf(reason, sizeof reason, "%s%s", what, cause);
	return smtp_delivery_fail_saying(delivery, no_tls, reason);
}

/* The conversation goes on inside TLS. */
static enum smtp_step start_tls(struct smtp_delivery *delivery)
{
	const struct security *security = delivery->settings;
	char report[REPORT_ROOM];
	struct helper helper;
	size_t length = sizeof success - 1;

	if (start_tlsc(delivery, &helper) < 0)
		return fail(delivery, "cannot run tlsc: ", error_text(errno));
	read_report(helper.output, delivery->share, report);
	close(helper.output);
	if (strncmp(report, success, length) != 0) {
		close(helper.talk);
		/* It has gone already, but for one that hangs. */
		kill(helper.pid, SIGKILL);
		return fail(delivery, "no TLS: ",
			    *report ? report : "no answer from tlsc");
	}
	close(delivery->client.fd);
	smtp_client_exchange(&delivery->client, helper.talk);
	str_append_printable(&delivery->security, report + length,
			     strcspn(report + length, " "));
	if (security->policy == TLS_VERIFY)
		str_append_text(&delivery->security, ", verified");
	return SMTP_DONE;
}

/* STARTTLS, and hello once more: what was said before may be anybody's. */
static enum smtp_step switch_to_tls(struct smtp_delivery *delivery)
{
	struct smtp_client *client = &delivery->client;
	enum smtp_step step;

	if (!(client->extensions & SMTP_STARTTLS))
		return fail(delivery, "no TLS: ", "the server has none");
	step = smtp_client_starttls(client);
	if (step != SMTP_DONE)
		return fail(delivery, "no TLS: ", "STARTTLS was not granted");
	step = start_tls(delivery);
	if (step != SMTP_DONE) return step;
	step = smtp_client_hello(client, delivery->name);
	if (step == SMTP_DONE) return step;
	return fail(delivery, "no TLS: ", "no answer to hello inside it");
}

static enum smtp_step open_with_immediate_tls(struct smtp_delivery *delivery)
{
	enum smtp_step step = smtp_delivery_connect(delivery);

	if (step == SMTP_DONE) step = start_tls(delivery);
	return step == SMTP_DONE ? smtp_delivery_greet(delivery) : step;
}

/* With TLS_MAY a handshake that fails costs one more connection. */
static enum smtp_step open_with_starttls(struct smtp_delivery *delivery)
{
	const struct security *security = delivery->settings;
	enum smtp_step step = smtp_delivery_open_plainly(delivery);

	if (step != SMTP_DONE || security->policy == TLS_NONE) return step;
	if (security->policy == TLS_MAY &&
	    !(delivery->client.extensions & SMTP_STARTTLS))
		return SMTP_DONE;
	step = switch_to_tls(delivery);
	if (step == SMTP_DONE || security->policy != TLS_MAY) return step;
	warn("%s; going on without", delivery->reason.data);
	smtp_client_quit(&delivery->client);
	str_clear(&delivery->security);
	return smtp_delivery_open_plainly(delivery);
}

static enum smtp_step log_in(struct smtp_delivery *delivery)
{
	const struct security *security = delivery->settings;
	struct smtp_client *client = &delivery->client;
	char reason[SMTP_REPLY_TEXT + 50];

	if (!(client->extensions & SMTP_AUTH_PLAIN))
		return smtp_delivery_fail_saying(
			delivery, no_login, "the server has no AUTH PLAIN");
	if (smtp_client_log_in(client, security->login, security->password) ==
	    SMTP_DONE)
		return SMTP_DONE;
	if (client->reply.code)
		snprintf(reason, sizeof reason, "the login is not taken: %u %s",
			 client->reply.code, client->reply.text);
	else snprintf(reason, sizeof reason, "no answer to the login");
	return smtp_delivery_fail_saying(delivery, no_login, reason);
}

enum smtp_step security_open(struct smtp_delivery *delivery)
{
	const struct security *security = delivery->settings;
	enum smtp_step step = security->is_immediate
				      ? open_with_immediate_tls(delivery)
				      : open_with_starttls(delivery);

	if (step == SMTP_DONE && security->login) step = log_in(delivery);
	return step;
}
