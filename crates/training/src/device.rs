//! Devices. The only file that knows the backend features.

use burn::tensor::Device;

/// A device with its name.
#[derive(Debug, Clone)]
pub struct SelectedDevice {
    /// Name, for example `flex` or `wgpu:0`.
    pub name: String,
    /// The device itself.
    pub device: Device,
}

/// A device of this build on this machine.
#[derive(Debug, Clone)]
pub struct DeviceInfo {
    /// Name, for example `flex` or `wgpu:0`.
    pub name: String,
    /// Backend and hardware.
    pub description: String,
    /// True if it emulates a graphics card on the processor.
    software: bool,
    device: Device,
}

/// An error that prevents a device from being used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No backend has this name.
    #[error("unknown device `{name}`\n  {}", choices(devices))]
    Unknown {
        /// The requested device.
        name: String,
        /// Devices of this build on this machine.
        devices: Vec<String>,
    },
    /// There is no graphics card, or this build has no backend for it.
    #[error(
        "no device for `{kind}`; this build has the backends {compiled}\n  {}, or build with the Cargo feature `{feature}`",
        choices(devices)
    )]
    NoneOfKind {
        /// `cpu` or `gpu`.
        kind: &'static str,
        /// Backends of this build.
        compiled: String,
        /// Cargo feature with such a backend.
        feature: &'static str,
        /// Devices of this build on this machine.
        devices: Vec<String>,
    },
    /// The backend is not compiled in.
    #[error(
        "this build has no `{backend}` backend\n  use {compiled}, or build with the Cargo feature `{backend}`"
    )]
    NotCompiledIn {
        /// The requested backend.
        backend: String,
        /// Backends of this build.
        compiled: String,
    },
    /// No backend of this build has a device on this machine.
    #[error(
        "no device found; this build has the backends {0}\n  install the driver of the graphics card, or build with the Cargo feature `flex`"
    )]
    NoneAtAll(String),
    /// The build has no processor backend.
    #[error(
        "gradient checks use f64, which needs a processor backend; this build has {0}\n  build with the Cargo feature `flex`"
    )]
    NoProcessor(String),
    /// The backend has no such device on this machine.
    #[error(
        "no device `{name}`: {found}\n  {}; or check that the driver is installed",
        choices(devices)
    )]
    Absent {
        /// The requested device.
        name: String,
        /// Number of devices found.
        found: String,
        /// Devices of this build on this machine.
        devices: Vec<String>,
    },
}

/// A backend with its devices on this machine.
struct Backend {
    name: &'static str,
    description: &'static str,
    devices: Option<fn() -> Vec<Device>>,
}

/// All backends, best first.
const BACKENDS: [Backend; 6] = [
    Backend { name: "cuda", description: "NVIDIA graphics card, CUDA", devices: cuda() },
    Backend { name: "metal", description: "Apple graphics card, Metal", devices: metal() },
    Backend { name: "vulkan", description: "graphics card, Vulkan", devices: vulkan() },
    Backend { name: "wgpu", description: "graphics card, WebGPU", devices: wgpu() },
    Backend { name: "flex", description: "processor, Burn Flex", devices: flex() },
    Backend { name: "ndarray", description: "processor, ndarray", devices: ndarray() },
];

/// Processor backends, best first.
const PROCESSORS: [&str; 2] = ["flex", "ndarray"];

impl SelectedDevice {
    /// Returns true if it uses main memory.
    pub fn is_processor(&self) -> bool {
        is_processor(&self.name)
    }
}

/// Returns true if the device called `name` uses main memory.
pub fn is_processor(name: &str) -> bool {
    PROCESSORS.contains(&name)
}

/// Selects the device called `name`, or the best processor for `cpu` and graphics card for `gpu`;
/// without a name the best one.
pub fn select(name: Option<&str>) -> Result<SelectedDevice, DeviceError> {
    match name {
        Some("cpu") => best_of("cpu", "flex", is_processor),
        Some("gpu") => best_of("gpu", "wgpu", |name| !is_processor(name)),
        Some(name) => named(name),
        None => best(),
    }
}

/// The best processor backend of this build; processors support f64.
pub fn processor() -> Result<SelectedDevice, DeviceError> {
    processors().into_iter().next().ok_or_else(|| DeviceError::NoProcessor(compiled()))
}

/// Processor backends of this build, best first.
pub fn processors() -> Vec<SelectedDevice> {
    PROCESSORS.iter().filter_map(|name| named(name).ok()).collect()
}

/// All devices of this build on this machine, best first.
pub fn list() -> Vec<DeviceInfo> {
    let mut devices: Vec<_> = BACKENDS.iter().flat_map(Backend::list).collect();
    // An emulated graphics card is slower than the processor itself.
    devices.sort_by_key(|device| device.software);
    devices
}

fn best() -> Result<SelectedDevice, DeviceError> {
    let best = list().into_iter().next();
    best.map(DeviceInfo::into_selected).ok_or_else(|| DeviceError::NoneAtAll(compiled()))
}

/// The best device whose name `matches`.
fn best_of(
    kind: &'static str,
    feature: &'static str,
    matches: fn(&str) -> bool,
) -> Result<SelectedDevice, DeviceError> {
    let mut devices = list();
    match devices.iter().position(|device| matches(&device.name)) {
        Some(index) => Ok(devices.swap_remove(index).into_selected()),
        None => {
            let (devices, compiled) = (names(), compiled());
            Err(DeviceError::NoneOfKind { kind, compiled, feature, devices })
        }
    }
}

/// Names of all devices, best first.
fn names() -> Vec<String> {
    list().into_iter().map(|device| device.name).collect()
}

/// The remedy of an error: the `devices` to choose from.
fn choices(devices: &[String]) -> String {
    if devices.is_empty() {
        "this build finds no device on this machine".to_owned()
    } else {
        format!("use {}", devices.join(", "))
    }
}

fn named(name: &str) -> Result<SelectedDevice, DeviceError> {
    let (backend, index) = name.split_once(':').unwrap_or((name, "0"));
    let unknown = || DeviceError::Unknown { name: name.to_owned(), devices: names() };
    let index: usize = index.parse().map_err(|_| unknown())?;
    let backend = BACKENDS.iter().find(|known| known.name == backend).ok_or_else(unknown)?;
    if backend.devices.is_none() {
        return Err(DeviceError::NotCompiledIn {
            backend: backend.name.to_owned(),
            compiled: compiled(),
        });
    }
    let devices = backend.list();
    let found = format!("{} has {} device(s)", backend.name, devices.len());
    let device = devices.into_iter().nth(index).map(DeviceInfo::into_selected);
    device.ok_or_else(|| {
        let (name, devices) = (name.to_owned(), names());
        DeviceError::Absent { name, found, devices }
    })
}

fn compiled() -> String {
    let compiled = BACKENDS.iter().filter(|backend| backend.devices.is_some());
    let names: Vec<_> = compiled.map(|backend| backend.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl Backend {
    fn list(&self) -> Vec<DeviceInfo> {
        let devices = self.devices.map_or(Vec::new(), |devices| devices());
        let indexed = devices.into_iter().enumerate();
        indexed.map(|(index, device)| self.info(index, device)).collect()
    }

    fn info(&self, index: usize, device: Device) -> DeviceInfo {
        let (hardware, software) = hardware(&device);
        let description = match hardware {
            Some(hardware) => format!("{}: {hardware}", self.description),
            None => self.description.to_owned(),
        };
        let name = match self.name {
            "flex" | "ndarray" => self.name.to_owned(),
            gpu => format!("{gpu}:{index}"),
        };
        DeviceInfo { name, description, software, device }
    }
}

impl DeviceInfo {
    fn into_selected(self) -> SelectedDevice {
        SelectedDevice { name: self.name, device: self.device }
    }
}

const fn flex() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "flex")]
    return Some(|| vec![Device::flex()]);
    #[cfg(not(feature = "flex"))]
    None
}

const fn ndarray() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "ndarray")]
    #[allow(deprecated, reason = "burn-ndarray 0.22 is its last release, and a tested backend")]
    return Some(|| vec![Device::ndarray()]);
    #[cfg(not(feature = "ndarray"))]
    None
}

const fn wgpu() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "wgpu")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec());
    #[cfg(not(feature = "wgpu"))]
    None
}

const fn vulkan() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "vulkan")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Vulkan).into_vec());
    #[cfg(not(feature = "vulkan"))]
    None
}

const fn metal() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "metal")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Metal).into_vec());
    #[cfg(not(feature = "metal"))]
    None
}

const fn cuda() -> Option<fn() -> Vec<Device>> {
    #[cfg(feature = "cuda")]
    return Some(|| Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec());
    #[cfg(not(feature = "cuda"))]
    None
}

/// Name of the hardware of a device, if known, and whether the device is emulated in software.
#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal", feature = "cuda"))]
fn hardware(device: &Device) -> (Option<String>, bool) {
    let identity = device.identity();
    let software = identity.as_ref().is_some_and(|identity| identity.physical.is_none());
    (identity.map(|identity| identity.name), software)
}

#[cfg(not(any(feature = "wgpu", feature = "vulkan", feature = "metal", feature = "cuda")))]
fn hardware(_device: &Device) -> (Option<String>, bool) {
    (None, false)
}
