//! The way in, the same on every wire: whether the address may call so often, who calls, and whether they may.

use http::request::Parts;
use procedures::Caller;
use procedures::error::{Error, Result};

use super::{Authenticator, Credentials};
use crate::addresses::ClientAddress;

impl Authenticator {
    /// Whom a request, or all that is said over the connection that it upgrades, is counted by before anyone knows who
    /// calls.
    pub fn address_of(&self, head: &Parts) -> ClientAddress {
        self.rates.address_of(head)
    }

    /// Who makes these calls, if neither they nor their address make too many: else TOO_MANY_REQUESTS `rateLimited`, and
    /// none of the calls is to be made.
    pub async fn admit(
        &self,
        address: ClientAddress,
        credentials: &Credentials,
        calls: usize,
    ) -> Result<Caller> {
        self.rates.count_address(address, calls)?;
        let caller = self.authenticate(credentials).await?;
        self.rates.count_caller(&caller, calls)?;
        Ok(caller)
    }

    /// What to answer to something that was refused before it was asked who says it: it counts as a call all the same.
    pub fn counted(&self, address: ClientAddress, error: Error) -> Error {
        self.rates.count_address(address, 1).err().unwrap_or(error)
    }
}
