//! The broker ends, and is there again.

use super::Mosquitto;

impl Mosquitto {
    /// Kills the broker with -9; its disk stays as it is.
    ///
    /// # Panics
    ///
    /// For a broker that was given by the environment, as all that follow.
    pub async fn kill(&self) {
        self.own().kill().await;
    }

    /// Ends the broker in an orderly way, so that it writes its state.
    pub async fn stop(&self) {
        self.own().stop().await;
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), on the same port.
    pub async fn start_again(&self) {
        self.own().start_again().await;
        self.wait_until_up().await;
    }

    /// Stops the broker where it is: it neither answers nor ends.
    pub async fn pause(&self) {
        self.own().pause().await;
    }

    /// Lets it go on.
    pub async fn unpause(&self) {
        self.own().unpause().await;
    }
}
