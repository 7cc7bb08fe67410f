package dev.mainstay.server;

import dev.mainstay.engine.config.ServerSettings;

import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.StandardEnvironment;

import java.util.HashMap;
import java.util.Map;

/// Spring's settings come from Mainstay's configuration and from nowhere else: no variable of the
/// process and no file of the working directory changes them.
final class ServerEnvironment extends StandardEnvironment {
    private static final String FIXED = "classpath:/dev/mainstay/server/server.properties";

    ServerEnvironment(ServerSettings settings) {
        getPropertySources().addFirst(new MapPropertySource("mainstay", properties(settings)));
    }

    @Override
    protected void customizePropertySources(MutablePropertySources sources) {
        // neither the system's properties nor its environment
    }

    private static Map<String, Object> properties(ServerSettings settings) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("spring.config.location", FIXED);
        properties.put("logging.config", "classpath:/" + ServerLog.configuration(settings.log()));
        properties.put("server.address", settings.host());
        properties.put("server.port", settings.port());
        settings.tls()
                .ifPresent(
                        tls -> {
                            String bundle = "spring.ssl.bundle.pem.server.";
                            properties.put(
                                    bundle + "keystore.certificate",
                                    tls.certificate().toUri().toString());
                            properties.put(
                                    bundle + "keystore.private-key", tls.key().toUri().toString());
                            properties.put(bundle + "reload-on-update", true);
                            properties.put("server.ssl.bundle", "server");
                            properties.put(bundle + "options.enabled-protocols", "TLSv1.3");
                            properties.put(bundle + "keystore.verify-keys", true);
                            tls.clients()
                                    .ifPresent(
                                            clients -> {
                                                properties.put(
                                                        bundle + "truststore.certificate",
                                                        clients.authorities().toUri().toString());
                                                properties.put(
                                                        "server.ssl.client-auth",
                                                        clients.everywhere() ? "need" : "want");
                                            });
                        });
        return properties;
    }
}
