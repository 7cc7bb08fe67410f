package dev.mainstay.server;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.Secret;
import dev.mainstay.engine.config.ServerSettings;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.job.JobDesk;
import dev.mainstay.server.live.ConfigurationReload;
import dev.mainstay.server.live.LiveConfiguration;
import dev.mainstay.server.schedule.ScheduleClerk;
import dev.mainstay.server.security.TokenTable;
import dev.mainstay.server.state.StateDatabase;

import org.springframework.boot.Banner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// A running server: it answers until it is closed.
public final class MainstayServer implements AutoCloseable {
    private final ConfigurableApplicationContext context;
    private final URI url;

    private MainstayServer(ConfigurableApplicationContext context, URI url) {
        this.context = context;
        this.url = url;
    }

    /// Returns once the server answers.
    ///
    /// @throws MainstayException SERVER_LISTEN, SERVER_STATE, SERVER_STATE_IN_USE, and what [#check]
    ///   says
    public static MainstayServer start(Surroundings surroundings) {
        return start(surroundings, JobDesk.Pace.USUAL);
    }

    /// A server that can be told to go by its file as it is then.
    ///
    /// @param file reads the configuration again
    /// @throws MainstayException as above
    public static MainstayServer start(Surroundings surroundings, Supplier<Configuration> file) {
        return start(surroundings, file, JobDesk.Pace.USUAL);
    }

    /// @param pace another one than the usual, for tests
    static MainstayServer start(Surroundings surroundings, JobDesk.Pace pace) {
        return start(surroundings, surroundings::configuration, pace);
    }

    private static MainstayServer start(
            Surroundings surroundings, Supplier<Configuration> file, JobDesk.Pace pace) {
        ServerSettings settings = surroundings.configuration().server();
        ServerLog.choose(settings.log()); // before any class is loaded that logs
        check(surroundings.configuration());
        StateDatabase state =
                StateDatabase.open(settings.state(), surroundings.environment());
        LiveConfiguration live =
                new LiveConfiguration(surroundings.configuration(), file, MainstayServer::check);
        try {
            return start(
                    new Surroundings(live, surroundings.environment(), surroundings.ground()),
                    live,
                    state,
                    pace);
        } catch (Throwable failed) {
            state.close();
            throw failed;
        }
    }

    /// Whether a server could start by this configuration, as far as the configuration can tell:
    /// nothing is opened.
    ///
    /// @throws MainstayException CONFIG_INVALID, SERVER_CERTIFICATE
    public static void check(Configuration configuration) {
        ScheduleClerk.check(configuration);
        Certificates.demand(configuration.server());
    }

    private static MainstayServer start(
            Surroundings surroundings,
            LiveConfiguration live,
            StateDatabase state,
            JobDesk.Pace pace) {
        ServerSettings settings = surroundings.configuration().server();
        SpringApplication application = new SpringApplication(ServerBeans.class);
        application.setWebApplicationType(WebApplicationType.SERVLET);
        application.setBannerMode(Banner.Mode.OFF);
        application.setLogStartupInfo(false);
        application.setRegisterShutdownHook(false); // whoever started it closes it
        application.setAddCommandLineProperties(false);
        application.setEnvironment(new ServerEnvironment(settings));
        application.addInitializers(handing(surroundings, live, state, pace));
        try {
            ConfigurableApplicationContext context = application.run();
            return new MainstayServer(context, url(settings, context));
        } catch (RuntimeException failed) {
            throw StartFailure.of(failed, settings);
        }
    }

    private static ApplicationContextInitializer<GenericApplicationContext> handing(
            Surroundings surroundings,
            LiveConfiguration live,
            StateDatabase state,
            JobDesk.Pace pace) {
        return context -> {
            context.registerBean(LiveConfiguration.class, () -> live);
            context.registerBean(Surroundings.class, () -> surroundings);
            context.registerBean(StateDatabase.class, () -> state);
            context.registerBean(JobDesk.Pace.class, () -> pace);
        };
    }

    private static URI url(ServerSettings settings, ConfigurableApplicationContext context) {
        if (!(context instanceof WebServerApplicationContext web) || web.getWebServer() == null) {
            throw new IllegalStateException("a server without a web server");
        }
        String scheme = settings.tls().isPresent() ? "https" : "http";
        String host = settings.host().contains(":") ? "[" + settings.host() + "]" : settings.host();
        return URI.create(scheme + "://" + host + ":" + web.getWebServer().getPort() + "/");
    }

    /// Where it answers, with the port that it really has.
    public URI url() {
        return url;
    }

    /// Goes by the configuration file as it is now, or as before.
    ///
    /// @throws MainstayException all that is wrong with it
    public LiveConfiguration.Taken reload() {
        return context.getBean(ConfigurationReload.class).reload("");
    }

    /// `GET /api/v1/jobs` and so on: every endpoint of the API.
    List<String> endpoints() {
        List<String> endpoints = new ArrayList<>();
        context.getBean("requestMappingHandlerMapping", RequestMappingHandlerMapping.class)
                .getHandlerMethods()
                .forEach(
                        (mapping, handler) -> {
                            if (handler.getBeanType().getName().startsWith("dev.mainstay.")) {
                                for (RequestMethod method :
                                        mapping.getMethodsCondition().getMethods()) {
                                    for (String path : mapping.getPatternValues()) {
                                        endpoints.add(method + " " + path);
                                    }
                                }
                            }
                        });
        return endpoints;
    }

    /// Changes the state under its feet, for tests.
    void sql(String statement) {
        JdbcClient.create(context.getBean(StateDatabase.class).source()).sql(statement).update();
    }

    /// The text of the first token, if nobody has one yet: to be shown, this once, to whoever starts
    /// the first server.
    public Optional<Secret> firstToken() {
        Optional<TokenTable.Issued> first = context.getBean(TokenTable.class).issueFirst();
        first.ifPresent(
                issued ->
                        context.getBean(AuditTrail.class)
                                .append(
                                        "",
                                        "",
                                        "first token issued",
                                        issued.token().toString(),
                                        "done"));
        return first.map(TokenTable.Issued::text);
    }

    /// Answers what is being asked, takes no more, and ends what runs. What cannot be ended within
    /// half a minute is left.
    @Override
    public void close() {
        context.close();
    }
}
