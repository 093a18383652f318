//! Devices. The only file that knows the backend features.

use burn::tensor::Device;

/// A device of this build on this machine.
#[derive(Debug, Clone)]
pub struct DeviceInfo {
    /// Name, for example `flex` or `wgpu:0`.
    pub name: String,
    /// Backend and hardware.
    pub description: String,
    /// True if it emulates a graphics card on the processor.
    software: bool,
    /// The device itself.
    pub device: Device,
}

/// The reason why a device cannot be used, and a remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeviceError(String);

struct Backend {
    name: &'static str,
    description: &'static str,
    devices: Option<fn() -> Vec<Device>>,
}

/// The backend of a Cargo feature, which has devices if it is compiled in.
macro_rules! backend {
    ($name:literal, $description:literal, all $kind:ident) => {
        backend!($name, $description, Device::enumerate(burn::tensor::DeviceType::$kind).into_vec())
    };
    ($name:literal, $description:literal, $devices:expr) => {
        Backend {
            name: $name,
            description: $description,
            #[cfg(feature = $name)]
            devices: Some(|| $devices),
            #[cfg(not(feature = $name))]
            devices: None,
        }
    };
}

/// All backends, best first.
#[allow(deprecated, reason = "burn-ndarray 0.22 is its last release, and a tested backend")]
const BACKENDS: [Backend; 6] = [
    backend!("cuda", "NVIDIA graphics card, CUDA", all Cuda),
    backend!("metal", "Apple graphics card, Metal", all Metal),
    backend!("vulkan", "graphics card, Vulkan", all Vulkan),
    backend!("wgpu", "graphics card, WebGPU", all Wgpu),
    backend!("flex", "processor, Burn Flex", vec![Device::flex()]),
    backend!("ndarray", "processor, ndarray", vec![Device::ndarray()]),
];

/// Processor backends, best first.
const PROCESSORS: [&str; 2] = ["flex", "ndarray"];

impl DeviceInfo {
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
pub fn select(name: Option<&str>) -> Result<DeviceInfo, DeviceError> {
    match name {
        Some("cpu") => best_of("cpu", "flex", is_processor),
        Some("gpu") => best_of("gpu", "wgpu", |name| !is_processor(name)),
        Some(name) => named(name),
        None => best(),
    }
}

/// The best processor backend of this build; processors support f64.
pub fn processor() -> Result<DeviceInfo, DeviceError> {
    processors().into_iter().next().ok_or_else(|| {
        let compiled = compiled();
        DeviceError(format!(
            "gradient checks use f64, which needs a processor backend; this build has {compiled}\n  build with the Cargo feature `flex`"
        ))
    })
}

/// Processor backends of this build, best first.
pub fn processors() -> Vec<DeviceInfo> {
    PROCESSORS.iter().filter_map(|name| named(name).ok()).collect()
}

/// All devices of this build on this machine, best first.
pub fn list() -> Vec<DeviceInfo> {
    let mut devices: Vec<_> = BACKENDS.iter().flat_map(Backend::list).collect();
    // An emulated graphics card is slower than the processor itself.
    devices.sort_by_key(|device| device.software);
    devices
}

fn best() -> Result<DeviceInfo, DeviceError> {
    list().into_iter().next().ok_or_else(|| {
        let compiled = compiled();
        DeviceError(format!(
            "no device found; this build has the backends {compiled}\n  install the driver of the graphics card, or build with the Cargo feature `flex`"
        ))
    })
}

/// The best device whose name `matches`, which a build with the Cargo `feature` has.
fn best_of(
    kind: &str,
    feature: &str,
    matches: fn(&str) -> bool,
) -> Result<DeviceInfo, DeviceError> {
    list().into_iter().find(|device| matches(&device.name)).ok_or_else(|| {
        let (compiled, choices) = (compiled(), choices());
        DeviceError(format!(
            "no device for `{kind}`; this build has the backends {compiled}\n  {choices}, or build with the Cargo feature `{feature}`"
        ))
    })
}

/// The remedy of an error: the devices to choose from, best first.
fn choices() -> String {
    let names: Vec<_> = list().into_iter().map(|device| device.name).collect();
    if names.is_empty() {
        "this build finds no device on this machine".to_owned()
    } else {
        format!("use {}", names.join(", "))
    }
}

fn named(name: &str) -> Result<DeviceInfo, DeviceError> {
    let (backend, index) = name.split_once(':').unwrap_or((name, "0"));
    let unknown = || DeviceError(format!("unknown device `{name}`\n  {}", choices()));
    let index: usize = index.parse().map_err(|_| unknown())?;
    let backend = BACKENDS.iter().find(|known| known.name == backend).ok_or_else(unknown)?;
    if backend.devices.is_none() {
        let (backend, compiled) = (backend.name, compiled());
        return Err(DeviceError(format!(
            "this build has no `{backend}` backend\n  use {compiled}, or build with the Cargo feature `{backend}`"
        )));
    }
    let mut devices = backend.list();
    let count = devices.len();
    if index < count {
        return Ok(devices.swap_remove(index));
    }
    Err(DeviceError(format!(
        "no device `{name}`: {} has {count} device(s)\n  {}; or check that the driver is installed",
        backend.name,
        choices()
    )))
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
