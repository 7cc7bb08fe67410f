/// The configuration file: [ConfigurationReader] turns YAML and the environment into
/// [Configuration], a tree of plain records, and refuses whatever it does not understand.
@NullMarked
package dev.mainstay.engine.config;

import org.jspecify.annotations.NullMarked;
