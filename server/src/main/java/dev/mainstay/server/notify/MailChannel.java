package dev.mainstay.server.notify;

import dev.mainstay.engine.config.ChannelSettings;
import dev.mainstay.engine.config.Secret;

import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Properties;

/// Mail by SMTP. TLS is not an offer: a server that does not speak it, or whose certificate is not
/// trusted or another host's, gets nothing.
record MailChannel(ChannelSettings.Email settings, Duration patience) implements Channel {
    @Override
    public boolean isGrouping() {
        return true;
    }

    @Override
    public void send(List<Notice> notices) throws DeliveryFailure {
        Session session = Session.getInstance(properties());
        try (Transport transport = session.getTransport("smtp")) {
            MimeMessage message = message(session, notices);
            transport.connect(
                    settings.host(),
                    settings.port(),
                    settings.user().orElse(null),
                    settings.password().map(Secret::reveal).orElse(null));
            transport.sendMessage(message, message.getAllRecipients());
        } catch (AuthenticationFailedException refused) {
            throw DeliveryFailure.passing(settings.host() + " refuses user or password");
        } catch (SendFailedException refused) {
            throw DeliveryFailure.passing(
                    settings.host() + " does not take the message: " + first(refused));
        } catch (MessagingException broken) {
            throw DeliveryFailure.passing(
                    "mail by "
                            + settings.host()
                            + ":"
                            + settings.port()
                            + " failed: "
                            + first(broken));
        }
    }

    private static String first(Exception failed) {
        String text = String.valueOf(failed.getMessage()).strip();
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end).strip();
    }

    private Properties properties() {
        Properties properties = new Properties();
        String millis = Long.toString(patience.toMillis());
        properties.put("mail.smtp.connectiontimeout", millis);
        properties.put("mail.smtp.timeout", millis);
        properties.put("mail.smtp.writetimeout", millis);
        properties.put("mail.smtp.auth", Boolean.toString(settings.user().isPresent()));
        if (!settings.plain()) {
            properties.put("mail.smtp.starttls.enable", Boolean.toString(settings.starttls()));
            properties.put("mail.smtp.starttls.required", Boolean.toString(settings.starttls()));
            properties.put("mail.smtp.ssl.enable", Boolean.toString(!settings.starttls()));
            properties.put("mail.smtp.ssl.checkserveridentity", "true");
            properties.put("mail.smtp.ssl.protocols", "TLSv1.3 TLSv1.2");
            properties.put(
                    "mail.smtp.ssl.socketFactory",
                    Trust.context(settings.caFile()).getSocketFactory());
        }
        return properties;
    }

    private MimeMessage message(Session session, List<Notice> notices) throws MessagingException {
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress(settings.from()));
        for (String to : settings.to()) {
            message.addRecipient(Message.RecipientType.TO, new InternetAddress(to));
        }
        Notice first = notices.getFirst();
        int more = notices.size() - 1;
        message.setSubject(first.subject() + (more == 0 ? "" : " (and " + more + " more)"), "UTF-8");
        message.setSentDate(Date.from(first.created()));
        message.setHeader("Auto-Submitted", "auto-generated");
        List<String> parts = new ArrayList<>();
        for (Notice each : notices) {
            parts.add(notices.size() == 1 ? each.body() : each.subject() + "\n\n" + each.body());
        }
        message.setText(String.join("\n\n----\n\n", parts), "UTF-8");
        return message;
    }
}
