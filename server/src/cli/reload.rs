//! What SIGHUP does to `qmp-console serve`.

use std::collections::BTreeMap;
use std::sync::Arc;

use qmp_client::address::Address;
use tracing::{error, info, warn};

use super::address::Listen;
use super::serve::Args;
use crate::http::{Console, Tls};

/// Reads the configuration and the certificate again. What did not change is
/// not disturbed.
///
/// # Errors
///
/// What is wrong with them; nothing was changed.
pub(super) async fn reload(
    args: &Args,
    listen: &Listen,
    console: &Arc<Console>,
    tls: Option<&Tls>,
    configured: &mut BTreeMap<String, Address>,
) -> anyhow::Result<()> {
    let config = args.read_config()?;
    let sessions = config.session.iter();
    let sessions = sessions.map(|session| (session.name().to_owned(), session.address.clone()));
    let wanted: BTreeMap<_, _> = sessions.collect();
    let policy = config.policy()?;
    if let Some(tls) = tls {
        tls.reload()?;
    }
    let wanted_listen = args.listen(&config);
    if wanted_listen != *listen {
        let (listen, now) = (wanted_listen.to_string(), listen.to_string());
        warn!(listen, now, "SIGHUP: to listen elsewhere needs a restart");
    }
    console.access.set_policy(policy);
    console.set_hosts(args.hosts(&config));
    console.journal.retain(config.retention());
    let gone: Vec<String> = configured
        .iter()
        .filter(|(name, address)| wanted.get(*name) != Some(address))
        .map(|(name, _)| name.clone())
        .collect();
    for name in gone {
        info!(session = name, "SIGHUP: removed");
        console.sessions.remove(&name).await;
        configured.remove(&name);
    }
    for (name, address) in wanted {
        if configured.contains_key(&name) {
            continue;
        }
        let sessions = Arc::clone(console);
        let (new, at) = (name.clone(), address.clone());
        let add = move || sessions.sessions.add(&new, at).map(drop);
        match tokio::task::spawn_blocking(add).await? {
            Ok(()) => {
                info!(session = name, "SIGHUP: added");
                configured.insert(name, address);
            }
            Err(error) => error!(session = name, %error, "SIGHUP: not added"),
        }
    }
    info!("SIGHUP: the configuration was read");
    Ok(())
}
